/** `npm run docs`: what is written from declarations: of settings, of the codes of errors, and of the rules of imports. */
import { writeFile } from "node:fs/promises";
import { argsFile, argsText } from "./argsText";
import { errorsFile, errorsText } from "./errorsText";
import { architectureFile, architectureText } from "./layersText";
import { projectFile, projectText } from "./projectText";
import { settingsFile, settingsText } from "./settingsText";

void writeFile(argsFile, argsText());
void writeFile(projectFile, projectText());
void writeFile(errorsFile, errorsText());
void writeFile(settingsFile, settingsText());
void architectureText().then((text) => writeFile(architectureFile, text));
