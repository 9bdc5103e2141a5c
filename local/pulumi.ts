/** `npm run pulumi -- …`: on the stack of the local stage, unless the shell says where another one is. */
import "./start/localShell";
import "./engine/cli";
