// What only a person at a terminal sees: questions, colours, progress.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::cli {

bool input_is_terminal();
bool output_is_terminal();
bool errors_are_terminal();
bool has_colour();  // standard output is a terminal, and NO_COLOR is not set

// Reads a line from the terminal; without echo when it is a secret. unavailable when there is no terminal.
Result<std::string> ask(std::string_view question, bool secret);

// All of standard input.
Result<std::string> read_input();
// A file, or standard input for "-".
Result<std::string> read_file_or_input(const std::string& name);
void write_output(std::string_view bytes);  // to standard output, byte for byte

// A bar on standard error when that is a terminal, and nothing elsewhere. The bar goes away at the end.
class Progress {
 public:
  Progress(std::string label, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t by = 1);

 private:
  void draw();
  std::string label_;
  std::uint64_t total_, done_ = 0;
  std::chrono::steady_clock::time_point drawn_{};
  bool shown_;
};

}  // namespace cc::cli
