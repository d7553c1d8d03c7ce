// What could stand where somebody pressed Tab.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/credentials.h"
#include "model/words.h"

namespace CLI {
class App;
}

namespace cc::cli {

struct Candidate {
  std::string text;         // one that ends in '/' goes on behind it
  std::string description;  // may be empty
  auto operator<=>(const Candidate&) const = default;
};

struct Completion {
  enum class Ask { nothing, files, config_keys, environments, applications, users };
  std::vector<Candidate> candidates;  // known without asking anybody
  Ask ask = Ask::nothing;             // what else to look for: files, or things that the server knows
  std::string before, typed;          // of --format=ya: "--format=", which candidates begin with, and "ya"
  std::string server;                 // options that were typed before
  TlsFiles tls;
};

// `words` are what stands behind the program's name; the last is being typed, and may be empty.
Completion complete(const CLI::App& root, const std::vector<std::string>& words);

// The next step behind `typed` towards each of `keys`: "dev/", then "dev/shop/", as files are completed.
std::vector<Candidate> next_steps(std::string_view typed, const std::vector<std::string>& keys);

// The scripts that `completion` prints.
std::string_view bash_completion();
std::string_view zsh_completion();

}  // namespace cc::cli
