import { failureMatrix } from "./failure-matrix.js";

failureMatrix("executable");
