// Entity tags: ours are strong and name the published content, whatever encoding it travels in (the `Vary` header
// keeps caches from mixing encodings up).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cc::http {

std::string etag(std::string_view opaque);  // 17 → "17" with its quotes

struct EtagList {
  struct Tag {
    std::string_view opaque;  // without quotes; points into the header's value
    bool weak = false;
  };
  bool any = false;  // *
  std::vector<Tag> tags;

  // As If-None-Match compares: weak and strong are the same.
  bool matches_weakly(std::string_view opaque) const;
};

// The value of If-Match or If-None-Match: `*`, or a list of "tag" and W/"tag". Nothing when it is malformed or
// empty.
std::optional<EtagList> parse_etags(std::string_view value);

// True when the header If-None-Match says that the client has `opaque` already: answer 304.
bool none_match_hits(std::string_view if_none_match, std::string_view opaque);

}  // namespace cc::http
