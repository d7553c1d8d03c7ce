// The command line of the product: one file per command, all of them on the HTTP API but `serve` and `config`.
#pragma once

namespace cc::cli {

// Runs the command that argv names. Returns the exit status: 0 done, 1 failed, 2 wrong usage.
int run(int argc, char** argv);

}  // namespace cc::cli
