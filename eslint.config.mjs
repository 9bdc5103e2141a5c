import tseslint from "typescript-eslint";

export default tseslint.config(
  // What tests write for a moment is nobody's to lint, and may be gone while it is read.
  { ignores: ["**/dist/", "**/node_modules/", "docs/api/", "**/.suite-*/", "**/.test-*/"] },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      // The Kubernetes client's classes are shapes of data: nobody calls their constructors.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      // Template texts for people are full of numbers.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // mocha's describe and it return promises that mocha itself handles.
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "@types/mocha", name: ["describe", "it", "before", "after"] },
          ],
        },
      ],
    },
  },
  {
    // chai's assertions are properties.
    files: ["tests/**/*.ts"],
    rules: { "@typescript-eslint/no-unused-expressions": "off" },
  },
  {
    // A dynamic provider's code is stored as text: it has to load its package when it runs. And a command
    // that few need does not make all the others slow.
    files: ["components/dynamicStep.ts", "cli/commands.ts", "cli/dashboard.ts", "cli/report.ts"],
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
