// Formats are parsed before content is accepted; content itself is never changed. What is decided for each case stands
// in docs/formats.md and is held by the tests; in short:
//
//   all         valid UTF-8 (text included); CRLF, and a final newline or none, are kept; a byte order mark at
//               the start is kept, and skipped while parsing; at most 100 levels of nesting; empty is accepted but in
//               json and xml
//   yaml        several documents, anchors, aliases and merge keys are accepted. Refused: a duplicate key in one
//               mapping, tabs as indentation, an alias inside its own node, aliases that would expand to more than
//               10 MiB (they are never expanded)
//   json        RFC 8259; a duplicate key in one object, a trailing comma and a comment are refused
//   toml        1.0; duplicates are refused by the format itself; at most 20,000 tables and dotted keys
//   xml         well-formed; a DOCTYPE is accepted without declarations of its own; no entity but the five of XML
//   properties  java.util.Properties; a malformed \uXXXX is refused; of duplicate keys the last wins, as in Java
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/words.h"

namespace cc {

// invalid_argument with message `line 3, column 5: duplicate key "port" (first on line 1)` and details
// {"line":3,"column":5,"reason":"duplicate key …"}; lines and columns count from 1, columns in code points without the
// byte order mark. The caller adds the config's name as context.
Result<> check_format(Format format, std::string_view content);

}  // namespace cc
