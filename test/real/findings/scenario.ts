import type { RoutedPath, RoutedPaths, Site } from '../../lab/routed-paths.js';

/** A path that is broken, shaped or sound in one way, and what a check of it has to say first. */
export interface LabScenario {
  readonly name: string;
  /** Ids of the finding that has to come first; empty: there must be none. */
  readonly first: readonly string[];
  /** Default 1. */
  readonly paths?: number;
  /** Where the far end is; default: at the same site. */
  readonly site?: Site;
  /** Breaks it. Runs after the responder at the far end has been started. */
  readonly setUp: (lab: LabHosts) => Promise<void>;
  /** What is checked; default: the peer `beta`, whose paths lead to the far end's responder. */
  readonly target?: (lab: LabHosts) => string;
  readonly depth?: 'quick' | 'default';
  /** Wraps the responder's command line: pins it to a processor, say. */
  readonly serveWith?: readonly string[];
  readonly checkWith?: (lab: LabHosts) => readonly string[];
}

export interface LabHosts extends RoutedPaths {
  readonly path: RoutedPath;
  /** A folder that goes with the scenario. */
  readonly folder: string;
  /** Starts a program at the far end that ends with the scenario, and waits until it has said `ready`. */
  startFar(argv: readonly string[], ready?: string): Promise<void>;
  startNear(argv: readonly string[], ready?: string): Promise<void>;
}
