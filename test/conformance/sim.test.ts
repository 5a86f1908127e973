import { portsBehave } from './suite.js';
import { simBench } from './sim-bench.js';

portsBehave('the simulation', simBench);
