import { makeBundle } from "./bundle.js";

await makeBundle();
