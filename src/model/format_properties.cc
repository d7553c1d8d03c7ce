// The syntax of java.util.Properties, in which next to everything is a key: only a malformed \uXXXX is refused.
#include <cctype>

#include "model/format_check.h"

namespace cc {
namespace {

bool ends_line(char c) {
  return c == '\n' || c == '\r';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}

// The characters of one logical line: a backslash at the end of a line joins the next one, without its leading blanks.
class LogicalLine {
 public:
  LogicalLine(std::string_view content, std::size_t at) : content_(content), at_(at) { join(); }
  bool done() const { return at_ >= content_.size() || ends_line(content_[at_]); }
  char peek() const { return content_[at_]; }
  std::size_t at() const { return at_; }

  // A backslash and what it escapes are passed together, so that the second of two does not join lines.
  void next() {
    const bool escapes = peek() == '\\';
    ++at_;
    if (escapes && !done()) ++at_;
    join();
  }

 private:
  void join() {
    while (at_ + 1 < content_.size() && content_[at_] == '\\' && ends_line(content_[at_ + 1])) {
      at_ += content_.substr(at_ + 1).starts_with("\r\n") ? 3 : 2;
      while (at_ < content_.size() && is_blank(content_[at_]))
        ++at_;
    }
  }

  std::string_view content_;
  std::size_t at_;
};

}  // namespace

Verdict check_properties(std::string_view content) {
  std::size_t at = 0;
  while (at < content.size()) {
    while (at < content.size() && (is_blank(content[at]) || ends_line(content[at])))
      ++at;
    if (at == content.size()) break;
    if (content[at] == '#' || content[at] == '!') {
      while (at < content.size() && !ends_line(content[at]))
        ++at;
      continue;
    }
    LogicalLine line(content, at);
    while (!line.done()) {
      const std::size_t start = line.at();
      if (content.substr(start, 2) != "\\u") {
        line.next();
        continue;
      }
      line.next();
      for (int digit = 0; digit < 4; ++digit) {
        if (line.done() || std::isxdigit(static_cast<unsigned char>(line.peek())) == 0) {
          return Refusal{start,
                         "malformed \\uXXXX escape; write four hexadecimal digits after \\u, or \\\\u for a "
                         "backslash and a u"};
        }
        line.next();
      }
    }
    at = line.at();
  }
  return std::nullopt;
}

}  // namespace cc
