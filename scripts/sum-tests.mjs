// Sums up Vitest's JSON reports for .ci/run: `node scripts/sum-tests.mjs BROKEN REPORT…` prints "N passed, N failed".
// BROKEN counts the steps that failed, test runs included. A run that failed without naming a failed test (it could not
// start, or a file could not be loaded) counts as one failure. Tests that passed only when they were run again are named first.
import { existsSync, readFileSync } from "node:fs";

const [broken = "0", ...reports] = process.argv.slice(2);

let passed = 0;
let failed = 0;
let failedRuns = 0;
for (const path of reports) {
  const report = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { success: false };
  const failures = report.numFailedTests ?? 0;
  // A file that cannot be loaded fails without a test of its own.
  const unloaded = (report.testResults ?? []).filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  for (const { assertionResults } of report.testResults ?? []) {
    for (const { status, fullName, failureMessages } of assertionResults) {
      const [first] = status === "passed" ? (failureMessages ?? []) : [];
      if (first !== undefined) console.log(`passed the second time: ${fullName}: ${first.split("\n")[0]}`);
    }
  }
  passed += report.numPassedTests ?? 0;
  failed += failures + unloaded;
  if (!report.success) {
    failedRuns++;
    if (failures + unloaded === 0) failed++;
  }
}
failed += Math.max(0, Number(broken) - failedRuns);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
