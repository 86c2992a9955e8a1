import { defineConfig } from "vitest/config";

// "unit" needs nothing but Node; "lab" boots real kernels under QEMU and is kept apart.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/{src,test}/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: ["**/*.lab.test.ts", "**/node_modules/**"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "lab",
          include: ["packages/*/test/**/*.lab.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 1_200_000,
          globalSetup: "packages/lab/test/prepare-lab.ts",
          setupFiles: "packages/lab/test/show-hints.ts",
          // A guest keeps one core busy: two files at a time is what a small machine carries.
          maxWorkers: 2,
          // A busy host can starve a guest of time beyond what a script expects. Whatever needs its second run is said at the end.
          retry: 1,
        },
      },
    ],
  },
});
