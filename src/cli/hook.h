// Runs a person's command when something happened.
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "cli/signals.h"

namespace cc::cli {

// Runs `command` with sh, with `variables` added to the environment and `input` as its standard input; waits for its
// end, which a held signal asks for as well. Returns its exit status (128 + signal when one ended it); an error when it
// could not be started.
Result<int> run_hook(const std::string& command, const std::map<std::string, std::string>& variables, const Path& input,
                     HeldSignals& signals);

}  // namespace cc::cli
