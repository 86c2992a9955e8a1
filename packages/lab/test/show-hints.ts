/** Prints the hints of failed tests' errors, which have the end of a guest's console. Test runners show the message alone. */
import { beforeEach } from "vitest";

beforeEach(({ task, onTestFailed }) => {
  onTestFailed(() => {
    for (const error of task.result?.errors ?? []) {
      if (typeof error.hint === "string") console.error(`${task.name}: ${error.message}\n${error.hint}`);
    }
  });
});
