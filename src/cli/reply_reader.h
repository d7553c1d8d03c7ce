// Finds the answers in what a connection received, as cheaply as can be: status, and where each one ends. For the
// benches; understands answers with Content-Length (and 204, 304), and no others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cc::cli {

class ReplyReader {
 public:
  // Calls on_reply(status) for each answer that is complete. False when this is not HTTP, or has no length: read no
  // further from this connection.
  template <class OnReply>
  bool feed(std::string_view bytes, const OnReply& on_reply) {
    while (!bytes.empty()) {
      if (!in_body_ && !take_head(bytes)) return !broken_;
      const std::uint64_t taken = bytes.size() < body_left_ ? bytes.size() : body_left_;
      bytes.remove_prefix(taken);
      body_left_ -= taken;
      if (body_left_ > 0) return true;
      in_body_ = false;
      on_reply(status_);
    }
    return true;
  }

 private:
  // Moves `bytes` behind the end of a head; false when the head is not complete or not understood.
  bool take_head(std::string_view& bytes);
  bool parse(std::string_view head);

  std::string partial_;  // of a head that came in pieces
  std::uint64_t body_left_ = 0;
  unsigned status_ = 0;
  bool in_body_ = false, broken_ = false;
};

}  // namespace cc::cli
