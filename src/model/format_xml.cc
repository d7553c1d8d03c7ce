// pugixml reads the document; it forgives much that XML 1.0 does not, so what it took is then held against the rules
// that it leaves out: names, attributes, references, characters, one root. Entities are never resolved, by anybody.
#include <algorithm>
#include <cctype>
#include <set>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "model/format_check.h"
#include "model/quote.h"

namespace cc {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_blank(char c) {
  return kBlanks.find(c) != std::string_view::npos;
}

// Of characters beyond ASCII all are taken: what scripts have for letters is not ours to list.
bool starts_name(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalpha(byte) != 0 || c == '_' || c == ':';
}
bool continues_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

// The next name="value" of an XML declaration, taken from `text`; an empty name when there is none.
std::pair<std::string_view, std::string_view> take_declared(std::string_view& text) {
  std::string_view rest = text;
  const auto skip_blanks = [&] { rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size())); };
  skip_blanks();
  if (rest.size() == text.size()) return {};
  const std::string_view name = rest.substr(0, rest.find_first_of(" \t\r\n="));
  rest.remove_prefix(name.size());
  skip_blanks();
  if (!rest.starts_with('=')) return {};
  rest.remove_prefix(1);
  skip_blanks();
  if (!rest.starts_with('"') && !rest.starts_with('\'')) return {};
  const std::size_t close = rest.find(rest.front(), 1);
  if (close == std::string_view::npos) return {};
  text = rest.substr(close + 1);
  return {name, rest.substr(1, close - 1)};
}

// What stands between "<?xml" and "?>": the encoding, empty when none is declared; nothing when it is malformed.
std::optional<std::string_view> declared_encoding(std::string_view text) {
  if (const auto [name, value] = take_declared(text); name != "version" || !value.starts_with("1."))
    return std::nullopt;
  std::string_view encoding;
  auto [name, value] = take_declared(text);
  if (name == "encoding") {
    if (value.empty() || std::isalpha(static_cast<unsigned char>(value.front())) == 0) return std::nullopt;
    encoding = value;
    std::tie(name, value) = take_declared(text);
  }
  if (!name.empty() && (name != "standalone" || (value != "yes" && value != "no"))) return std::nullopt;
  if (text.find_first_not_of(kBlanks) != std::string_view::npos) return std::nullopt;
  return encoding;
}

// Walks over the document once, from markup to markup.
class Walk {
 public:
  explicit Walk(std::string_view content) : content_(content) {}

  Verdict check() {
    while (!refusal_ && at_ < content_.size()) {
      if (content_[at_] != '<') {
        text();
      } else if (rest().starts_with("<!--")) {
        comment();
      } else if (rest().starts_with("<![CDATA[")) {
        if (open_.empty()) refuse(at_, "CDATA outside of the root element");
        pass_until("]]>", 9, "CDATA section is not closed");
      } else if (rest().starts_with("<!DOCTYPE")) {
        document_type();
      } else if (rest().starts_with("<?")) {
        instruction();
      } else if (rest().starts_with("</")) {
        end_tag();
      } else {
        start_tag();
      }
    }
    if (!refusal_ && !open_.empty()) {
      refuse(open_.back().offset, fmt::format("element {} is not closed", quoted(open_.back().name)));
    }
    if (!refusal_ && !has_root_) refuse(content_.size(), "no root element");
    return std::move(refusal_);
  }

 private:
  struct Open {
    std::string_view name;
    std::size_t offset;
  };

  std::string_view rest() const { return content_.substr(at_); }
  bool at(char c) const { return at_ < content_.size() && content_[at_] == c; }

  void refuse(std::size_t offset, std::string reason) {
    if (!refusal_) refusal_ = Refusal{offset, std::move(reason)};
  }

  // Moves behind `end`, looked for `skip` bytes after the position.
  std::string_view pass_until(std::string_view end, std::size_t skip, std::string_view otherwise) {
    const std::size_t start = at_ + skip;
    const std::size_t found = content_.find(end, start);
    if (found == std::string_view::npos) {
      refuse(at_, std::string(otherwise));
      at_ = content_.size();
      return {};
    }
    at_ = found + end.size();
    return content_.substr(start, found - start);
  }

  bool pass_blanks() {
    const std::size_t start = at_;
    while (at_ < content_.size() && is_blank(content_[at_]))
      ++at_;
    return at_ != start;
  }

  std::string_view name(std::string_view of_what) {
    const std::size_t start = at_;
    if (at_ == content_.size() || !starts_name(content_[at_])) {
      refuse(at_, fmt::format("expected the name of {}", of_what));
      return {};
    }
    while (at_ < content_.size() && continues_name(content_[at_]))
      ++at_;
    return content_.substr(start, at_ - start);
  }

  void text() {
    const std::size_t end = std::min(content_.find('<', at_), content_.size());
    const std::string_view piece = content_.substr(at_, end - at_);
    if (open_.empty()) {
      if (const std::size_t found = piece.find_first_not_of(kBlanks); found != std::string_view::npos) {
        refuse(at_ + found, "text outside of the root element");
      }
    } else if (const std::size_t found = piece.find("]]>"); found != std::string_view::npos) {
      refuse(at_ + found, "\"]]>\" in text; write \"]]&gt;\"");
    }
    references(piece);
    at_ = end;
  }

  // `piece` begins at the position.
  void references(std::string_view piece) {
    for (std::size_t i = piece.find('&'); i != std::string_view::npos; i = piece.find('&', i + 1)) {
      // No reference is longer; without the bound a text full of '&' would be searched again and again.
      const std::string_view near = piece.substr(i + 1, 64);
      const std::size_t end = near.find(';');
      const std::string_view reference = near.substr(0, end);
      if (end == std::string_view::npos || reference.empty()) {
        return refuse(at_ + i, "\"&\" that begins no reference; write \"&amp;\"");
      }
      if (reference.starts_with('#')) {
        if (!is_character(reference.substr(1)))
          return refuse(at_ + i, "reference to a character that XML does not have");
      } else if (reference != "amp" && reference != "lt" && reference != "gt" && reference != "quot" &&
                 reference != "apos") {
        return refuse(at_ + i,
                      fmt::format("entity {} is not known; only amp, lt, gt, quot and apos are, and characters "
                                  "by number",
                                  quoted(reference)));
      }
    }
  }

  static bool is_character(std::string_view number) {
    const bool hex = number.starts_with('x');
    if (hex) number.remove_prefix(1);
    if (number.empty()) return false;
    std::uint32_t value = 0;
    for (const char c : number) {
      const auto byte = static_cast<unsigned char>(c);
      if (hex ? std::isxdigit(byte) == 0 : std::isdigit(byte) == 0) return false;
      const auto digit = static_cast<std::uint32_t>(std::isdigit(byte) != 0 ? c - '0' : std::tolower(byte) - 'a' + 10);
      value = std::min<std::uint32_t>(value * (hex ? 16 : 10) + digit, 0x110000);
    }
    return value == '\t' || value == '\n' || value == '\r' || (value >= 0x20 && value <= 0xD7FF) ||
           (value >= 0xE000 && value <= 0xFFFD) || (value >= 0x10000 && value <= 0x10FFFF);
  }

  void comment() {
    const std::size_t start = at_;
    const std::string_view inside = pass_until("-->", 4, "comment is not closed");
    if (const std::size_t found = inside.find("--"); found != std::string_view::npos || inside.ends_with('-')) {
      refuse(start + 4 + std::min(found, inside.size()), "\"--\" inside a comment");
    }
  }

  void document_type() {
    const std::size_t start = at_;
    if (has_root_ || has_document_type_) refuse(start, "DOCTYPE stands once, before the root element");
    has_document_type_ = true;
    at_ += std::string_view("<!DOCTYPE").size();
    while (at_ < content_.size() && content_[at_] != '>') {
      if (content_[at_] == '[') {
        return refuse(at_, "DOCTYPE with declarations of its own; entities are not accepted, write their values");
      }
      if (content_[at_] == '"' || content_[at_] == '\'') {
        pass_until(content_.substr(at_, 1), 1, "quotation mark is not closed");
      } else {
        ++at_;
      }
    }
    if (at_ == content_.size()) return refuse(start, "DOCTYPE is not closed");
    ++at_;
  }

  void instruction() {
    const std::size_t start = at_;
    at_ += 2;
    const std::string_view target = name("a processing instruction");
    if (refusal_) return;
    const bool is_declaration = equal_ignoring_case(target, "xml");
    if (is_declaration && (start != 0 || target != "xml")) {
      return refuse(start, "the XML declaration \"<?xml\" stands at the very beginning");
    }
    const std::string_view inside = pass_until("?>", 0, "processing instruction is not closed");
    if (refusal_ || !is_declaration) return;
    const std::optional<std::string_view> declared = declared_encoding(inside);
    if (!declared) return refuse(start, "malformed XML declaration; write <?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    const std::string_view encoding = declared->empty() ? "UTF-8" : *declared;
    const bool is_ascii = std::ranges::none_of(content_, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    const bool is_unicode = encoding.size() >= 3 && (equal_ignoring_case(encoding.substr(0, 3), "UTF") ||
                                                     equal_ignoring_case(encoding.substr(0, 3), "UCS"));
    // An encoding that extends ASCII reads plain ASCII right; with anything else clients would read another text.
    if (!equal_ignoring_case(encoding, "UTF-8") && (is_unicode || !is_ascii)) {
      refuse(start, fmt::format("declares the encoding {}, but content is UTF-8", quoted(encoding)));
    }
  }

  void end_tag() {
    const std::size_t start = at_;
    at_ += 2;
    const std::string_view closed = name("an element");
    pass_blanks();
    if (!refusal_ && !at('>')) refuse(at_, "expected \">\"");
    if (refusal_) return;
    ++at_;
    if (open_.empty()) return refuse(start, fmt::format("end tag {} closes nothing", quoted(closed)));
    if (open_.back().name != closed) {
      return refuse(start, fmt::format("end tag {} where {} is open (from line {})", quoted(closed),
                                       quoted(open_.back().name), position_of(content_, open_.back().offset).line));
    }
    open_.pop_back();
  }

  void start_tag() {
    const std::size_t start = at_++;
    const std::string_view opened = name("an element");
    if (refusal_) return;
    if (open_.empty() && has_root_) return refuse(start, "a second root element; a document has one");
    if (open_.size() == kDeepest) return refuse(start, too_deep());
    has_root_ = true;
    attributes();
    if (refusal_) return;
    if (at('/')) {
      ++at_;
      if (!at('>')) return refuse(at_, "expected \">\"");
    } else if (at('>')) {
      open_.push_back({opened, start});
    } else {
      return refuse(start, fmt::format("start tag {} is not closed", quoted(opened)));
    }
    ++at_;
  }

  void attributes() {
    std::set<std::string_view> seen;
    for (;;) {
      const bool apart = pass_blanks();
      if (at_ == content_.size() || at('>') || at('/')) return;
      const std::size_t start = at_;
      const std::string_view attribute = name("an attribute");
      if (refusal_) return;
      if (!apart) return refuse(start, "expected a blank before the attribute");
      if (!seen.insert(attribute).second)
        return refuse(start, fmt::format("duplicate attribute {}", quoted(attribute)));
      pass_blanks();
      if (!at('=')) return refuse(at_, fmt::format("attribute {} has no value", quoted(attribute)));
      ++at_;
      pass_blanks();
      if (!at('"') && !at('\'')) return refuse(at_, "the value of an attribute stands in quotation marks");
      const char mark = content_[at_++];
      const std::size_t end = content_.find(mark, at_);
      if (end == std::string_view::npos) return refuse(at_ - 1, "quotation mark is not closed");
      const std::string_view value = content_.substr(at_, end - at_);
      if (const std::size_t less = value.find('<'); less != std::string_view::npos) {
        return refuse(at_ + less, "\"<\" in the value of an attribute; write \"&lt;\"");
      }
      references(value);
      at_ = end + 1;
    }
  }

  std::string_view content_;
  std::size_t at_ = 0;
  std::vector<Open> open_;
  bool has_root_ = false;
  bool has_document_type_ = false;
  Verdict refusal_;
};

}  // namespace

Verdict check_xml(std::string_view content) {
  // Characters that XML does not have. pugixml would take U+0000 for the end.
  if (const std::size_t at = find_control_character(content); at != std::string_view::npos && content[at] != 0x7F) {
    return Refusal{at, control_character(content[at])};
  }
  for (const std::string_view never : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    if (const std::size_t at = content.find(never); at != std::string_view::npos) {
      return Refusal{at, "character U+FFFE or U+FFFF"};
    }
  }
  if (Verdict refusal = Walk(content).check()) return refusal;
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(content.data(), content.size(), pugi::parse_full, pugi::encoding_utf8);
  if (!parsed)
    return Refusal{static_cast<std::size_t>(std::max<std::ptrdiff_t>(parsed.offset, 0)), parsed.description()};
  return std::nullopt;
}

}  // namespace cc
