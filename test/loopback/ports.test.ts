import { portsBehave } from '../conformance/suite.js';
import { hostBench } from './host-bench.js';

portsBehave('this host', hostBench);
