/** Small models of tasks, locks and extra stacks, and the search through all their states. */

export type {
  CheckBounds,
  CheckDocument,
  CheckedProperty,
  CheckState,
  CheckVerdict,
  TaskState,
  TraceStep,
} from "./check-document.ts";
export { type CheckOptions, checkModel, DEFAULT_BOUNDS } from "./check-model.ts";
export type { Model, Policy } from "./model.ts";
export { changeModel, type ModelChanges, parseModel } from "./parse-model.ts";
export { PRESETS, type Preset } from "./presets.ts";
export { modelJson, modelText } from "./print-model.ts";
export { toPromela } from "./promela.ts";
