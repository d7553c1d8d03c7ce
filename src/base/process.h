// Running a program to its end: with input, with what it wrote, and not for longer than it may take.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace cc {

struct Finished {
  int status = 0;  // as a shell has it: 128 + the signal that ended it
  std::string output, errors;
  bool good() const { return status == 0; }
};

// Beside those that this process has, or instead: name → value.
using ProcessVariables = std::map<std::string, std::string>;

// `arguments`: the program, by name or path, and its arguments; no shell is between. Other users see them while it
// runs: what is secret goes into `variables` or the input. Blocks. not_found when there is no such program; timeout,
// and it is killed with all that it started, when it is not done at the deadline.
Result<Finished> run_process(const std::vector<std::string>& arguments, std::string_view input, const Deadline& until,
                             const ProcessVariables& variables = {});

}  // namespace cc
