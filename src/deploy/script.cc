#include "deploy/script.h"

#include <fmt/format.h>

namespace cc::deploy {
namespace {

// A line that the text does not have.
std::string end_of(std::string_view text) {
  std::string end = "end-of-text";
  while (text.contains(end))
    end += '-';
  return end;
}

}  // namespace

std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += R"('\'')";
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::string here_document(std::string_view content) {
  const std::string end = end_of(content);
  return fmt::format(" <<'{0}'\n{1}{2}{0}\n", end, content, content.empty() || content.ends_with('\n') ? "" : "\n");
}

std::string as_root(std::string_view script) {
  return "root=; [ \"$(id -u)\" = 0 ] || root='sudo -n'\n"
         "LC_ALL=C; PATH=\"$PATH:/usr/sbin:/sbin\"; export LC_ALL PATH\n"
         "$root bash -eu" +
         here_document(script);
}

}  // namespace cc::deploy
