import { hostilePlugins } from "./hostile-plugins.js";
import { ofPrograms } from "./hostile-programs.js";

hostilePlugins("provider", "executable", ofPrograms);
