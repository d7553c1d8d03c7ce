#include "cli/reply_reader.h"

#include <charconv>

#include <strings.h>

namespace cc::cli {
namespace {

constexpr std::size_t kLongestHead = 64 * 1024;
constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::string_view kLength = "\r\ncontent-length:";

std::size_t find_length(std::string_view head) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    if (head.size() - at >= kLength.size() && ::strncasecmp(head.data() + at, kLength.data(), kLength.size()) == 0) {
      return at + kLength.size();
    }
  }
  return std::string_view::npos;
}

}  // namespace

bool ReplyReader::take_head(std::string_view& bytes) {
  if (partial_.empty()) {
    const std::size_t end = bytes.find(kEnd);
    if (end != std::string_view::npos) {
      const std::string_view head = bytes.substr(0, end + kEnd.size());
      bytes.remove_prefix(head.size());
      return parse(head);
    }
  }
  const std::size_t before = partial_.size();
  partial_ += bytes;
  const std::size_t end = partial_.find(kEnd, before < kEnd.size() ? 0 : before - kEnd.size());
  if (end == std::string::npos) {
    broken_ = partial_.size() > kLongestHead;
    return false;
  }
  bytes.remove_prefix(end + kEnd.size() - before);
  const bool understood = parse(std::string_view(partial_).substr(0, end + kEnd.size()));
  partial_.clear();
  return understood;
}

bool ReplyReader::parse(std::string_view head) {
  broken_ = true;
  if (!head.starts_with("HTTP/1.") || head.size() < 12) return false;
  if (std::from_chars(head.data() + 9, head.data() + 12, status_).ec != std::errc{}) return false;
  body_left_ = 0;
  if (const std::size_t at = find_length(head); at != std::string_view::npos) {
    std::string_view text = head.substr(at);
    text.remove_prefix(text.find_first_not_of(' '));
    if (std::from_chars(text.data(), text.data() + text.size(), body_left_).ec != std::errc{}) return false;
  } else if (status_ != 204 && status_ != 304) {
    return false;
  }
  if (status_ == 204 || status_ == 304) body_left_ = 0;
  in_body_ = true;
  broken_ = false;
  return true;
}

}  // namespace cc::cli
