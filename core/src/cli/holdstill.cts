#!/usr/bin/env node
// CommonJS, because the size is read when libuv's pool starts, and Node 20 starts it to load the first ES module. With the
// default of 4, four plugins that hang in file calls would stop everybody's.
process.env["UV_THREADPOOL_SIZE"] ??= "16";

void import("./main.js");
