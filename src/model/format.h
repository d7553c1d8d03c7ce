// Formats are parsed before content is accepted; content itself is never changed.
//
// Decided outcomes, the same in docs/formats.md:
//   all       must be valid UTF-8 (text included: refused with the offset otherwise), CRLF and a final newline or none
//             are kept as they are; empty content is accepted in every format but json and xml
//   BOM       accepted and kept at the start of yaml, json, toml, xml, properties, text (skipped while parsing)
//   yaml      several documents, anchors, aliases, merge keys accepted; a duplicate key in one mapping is refused with the
//             line of the second; tabs as indentation refused; alias bombs (over 10 MiB or depth over 100 when expanded)
//             never expand: depth over 100 is refused
//   json      RFC 8259; a duplicate key in one object, a trailing comma, a comment, depth over 100 are refused
//   toml      1.0; duplicates are refused by the format itself
//   xml       well-formed, no DOCTYPE with entities expanded (entities are never resolved)
//   properties java.util.Properties syntax; a malformed \uXXXX is refused; duplicate keys are accepted (the last wins, as in Java)
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/words.h"

namespace cc {

// invalid_argument with message `application.yaml line 3, column 5: duplicate key "port" (first on line 1)` and details
// {"line":3,"column":5,"reason":"..."}; lines and columns count from 1, columns in code points.
Result<> check_format(Format format, std::string_view content);

}  // namespace cc
