import { Command, type Help } from "commander";
import { registerBt } from "./commands/bt.ts";
import { registerBudget } from "./commands/budget/budget.ts";
import { registerCheck } from "./commands/check.ts";
import { registerDiagnose } from "./commands/diagnose.ts";
import { registerDis } from "./commands/dis.ts";
import { registerExtract } from "./commands/extract.ts";
import { registerGuard } from "./commands/guard.ts";
import { registerLabCommand } from "./commands/lab.ts";
import { registerList } from "./commands/list.ts";
import { registerLog } from "./commands/log.ts";
import { registerMod } from "./commands/mod.ts";
import { registerPlan } from "./commands/plan.ts";
import { registerPs } from "./commands/ps.ts";
import { registerRd } from "./commands/rd.ts";
import { registerSimulate } from "./commands/simulate/simulate.ts";
import { registerStruct } from "./commands/struct.ts";
import { registerSym } from "./commands/sym.ts";
import { registerSys } from "./commands/sys.ts";
import { registerWhatis } from "./commands/whatis.ts";
import type { Context } from "./context.ts";
import { NOT_AT_PROMPT, withoutFile } from "./shell/shell-words.ts";
import { VERSION } from "./version.ts";

/** All commands, in the order that `--help` lists them. */
const COMMANDS = [
  registerDiagnose,
  registerSys,
  registerLog,
  registerPs,
  registerBt,
  registerDis,
  registerRd,
  registerSym,
  registerStruct,
  registerWhatis,
  registerList,
  registerMod,
  registerExtract,
  registerBudget,
  registerPlan,
  registerSimulate,
  registerCheck,
  registerGuard,
  registerLabCommand,
] as const;

const EXAMPLES = `
Examples:
  spillway diagnose vmcore        what broke the kernel's stack
  spillway log vmcore | tail -40  the last words of the kernel
  spillway bt vmcore -a           what every CPU was doing
  spillway COMMAND --help         more about a command

Exit status: 0 fine, 1 defect of spillway, 2 wrong usage,
  3 input that cannot be read, 4 not in the dump, 5 environment.
`;

/** At the prompt the dump is open: neither its file nor the further files of a split set are named. */
const promptHelp: Partial<Help> = {
  visibleArguments: (command) => command.registeredArguments.filter((argument) => argument.name() !== "file"),
  visibleOptions: (command) => command.options.filter((option) => !option.hidden && option.long !== "--split"),
  visibleGlobalOptions: () => [],
  visibleCommands: (program) => program.commands.filter((command) => !NOT_AT_PROMPT.has(command.name())),
};

/** The command line of `spillway`. */
export function buildProgram(context: Context): Command {
  const program = new Command("spillway")
    .description("Find, prove and survive Linux kernel stack overflow.")
    .version(VERSION, "-V, --version", "print the version")
    .option("--debug", "on an error, print its facts and where in spillway it arose")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: context.terminal.width,
      ...(context.atPrompt ? promptHelp : {}),
      // Lines end where the terminal does, not where the source has them end.
      commandDescription: (command) => command.description().replaceAll("\n", " "),
      subcommandTerm: (command) => {
        const term = [command.name(), command.usage().replace("[options] ", "")].join(" ");
        return context.atPrompt ? withoutFile(term) : term;
      },
    })
    .configureOutput({
      writeOut: (text) => context.terminal.write(context.atPrompt ? withoutFile(text) : text),
      // Errors are printed once, in one form, by printError.
      writeErr: () => {},
      outputError: () => {},
      getOutHasColors: () => false,
    })
    .exitOverride()
    .addHelpText("after", EXAMPLES);
  for (const register of COMMANDS) register(program, context);
  return program;
}

/** Names of all commands, for deciding whether a word is one. */
export function commandNames(program: Command): readonly string[] {
  return program.commands.map((command) => command.name());
}
