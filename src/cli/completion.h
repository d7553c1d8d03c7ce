// Answers the completion scripts: `config-center __complete WORD...`.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cc::cli {

class Session;

// Prints one candidate on each line, with a tab before its description; ":files" asks the shell to complete file
// names. Never complains: a server that does not answer adds nothing.
int print_candidates(const CLI::App& root, Session& session, const std::vector<std::string>& words);

}  // namespace cc::cli
