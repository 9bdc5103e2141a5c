/** `npm run bluegreen -- …`: the command line, with the stack of the dev cluster where no other is named. */
import "./start/localShell";
import "../cli/main";
