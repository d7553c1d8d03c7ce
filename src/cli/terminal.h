// What goes in and out: standard input and output, files that a person names, and what only a person at a terminal
// sees: questions, colours, progress.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"

namespace cc::cli {

// Before anything else: a standard stream that is closed must not become the next file or connection that is opened.
void hold_standard_streams();

bool input_is_terminal();
bool output_is_terminal();
bool errors_are_terminal();
bool has_colour();  // standard output is a terminal, and NO_COLOR is not set

// Reads a line from the terminal; without echo when it is a secret, and whatever ends the process meanwhile, echo is on
// again. unavailable when there is no terminal.
Result<std::string> ask(std::string_view question, bool secret);

// All of standard input.
Result<std::string> read_input();
// A file, or standard input for "-".
Result<std::string> read_file_or_input(const std::string& name);

Result<> write_output(std::string_view bytes);  // to standard output, byte for byte
// Nobody reads standard output any more: the command has failed, and there is nothing to say.
bool reader_is_gone(const Error& error);
// A file (write_named_file), or standard output for "-".
Result<> write_file_or_output(const std::string& name, std::string_view content, unsigned mode = 0666);

// Content that is printed: as it is, but on a terminal control characters are shown and not sent.
std::string for_output(std::string content);

// How far something is, on standard error: a bar when that is a terminal, which goes away at the end; elsewhere a line
// now and then when it takes long.
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
  std::chrono::steady_clock::time_point drawn_;
  bool bar_;
};

// That a server is at work, and for how long: as Progress, for what has no steps.
class Waiting {
 public:
  explicit Waiting(std::string label);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  void tell(std::chrono::seconds elapsed) const;
  const std::string label_;
  const bool line_;  // on a terminal: one line, which goes away
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

}  // namespace cc::cli
