// YAML by the events of yaml-cpp, never by its tree: aliases are measured, not expanded.
#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "model/format_check.h"
#include "model/quote.h"

namespace cc {
namespace {

// What aliases may add to a document, in nodes and bytes of text together, when a client expands them.
constexpr std::size_t kLargestExpansion = 10 * 1024 * 1024;

// What yaml-cpp may have read of one flow collection before it tells of it: what begins where a key may stand is one
// until it is closed, and waits at some 280 bytes for each item.
constexpr std::size_t kMostItemsAhead = 200'000;

// Thrown through yaml-cpp, which has no other way to be stopped.
struct Stop {
  Refusal refusal;
};

class Checker : public YAML::EventHandler {
 public:
  explicit Checker(std::string_view content) : content_(content) {}

  // The parser has told of everything before it.
  std::size_t told() const { return told_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    const std::size_t at = offset(mark);
    if (!begins_document(at)) {
      const std::string_view before = line_before(at);
      // The parser would take what follows a document's only node for another document.
      if (documents_ > 0 && !before.starts_with("...")) {
        stop(at, "expected the end of the document, or \"---\" before another one");
      }
      if (before.starts_with('%')) stop(at, "expected \"---\" after the directive");
    }
    // What begins no node, such as a comma, it makes an empty document of, again and again, without passing it.
    if (documents_ > 0 && at == document_) stop(at, "character that may not begin a value; quote the text");
    document_ = at;
    ++documents_;
    anchors_.clear();
    added_ = 0;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = offset(mark);
    if (!open_.empty()) not_forgotten(open_.back(), at);
    scalar(at, anchor, std::nullopt);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& text) override {
    last_scalar_ = offset(mark);
    indented_by_blanks(last_scalar_);
    scalar(last_scalar_, anchor, text);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = offset(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || !found->second.complete) stop(at, "alias inside the node that it stands for");
    const Anchored& target = found->second;
    added_ = std::min(added_ + target.size, kLargestExpansion + 1);
    if (added_ > kLargestExpansion) stop(at, "aliases that expand to more than 10 MiB");
    if (open_.size() + target.depth > kDeepest) stop(at, too_deep() + " when aliases are expanded");
    if (target.is_scalar) {
      node(at, target.size, 0, target.text, true);
    } else {
      node(at, target.size, target.depth, std::nullopt, false);
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    begin(offset(mark), anchor, false, style == YAML::EmitterStyle::Flow);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    begin(offset(mark), anchor, true, style == YAML::EmitterStyle::Flow);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

  // The parser takes the end of the text for a closing quotation mark. Only the last scalar can lack it.
  void check_last_quotation_mark() const {
    std::size_t at = last_scalar_;
    while (at < content_.size() && (content_[at] == '&' || content_[at] == '!' || content_[at] == '#')) {
      at = content_.find_first_of(content_[at] == '#' ? "\r\n" : " \t\r\n", at);
      at = std::min(content_.find_first_not_of(" \t\r\n", at), content_.size());
    }
    if (at >= content_.size() || (content_[at] != '"' && content_[at] != '\'')) return;
    const char mark = content_[at];
    for (std::size_t i = at + 1; i < content_.size(); ++i) {
      if (content_[i] == '\\' && mark == '"') {
        ++i;
      } else if (content_[i] == mark) {
        if (mark == '"' || !content_.substr(i).starts_with("''")) return;
        ++i;
      }
    }
    stop(at, "quotation mark is not closed");
  }

 private:
  using Key = std::optional<std::string>;  // none: null

  struct Anchored {
    bool complete = false;
    bool is_scalar = false;
    Key text;
    std::size_t size = 0, depth = 0;
  };
  struct Open {
    std::size_t offset;
    YAML::anchor_t anchor;
    bool is_map, is_flow;
    bool key_is_next = true;
    std::size_t key_offset = std::string_view::npos;  // of the last key that is not null
    std::map<Key, std::size_t> keys{};                // → offset
    std::size_t size = 1, depth = 1;                  // expanded, so far
  };

  std::size_t offset(const YAML::Mark& mark) {
    const std::size_t at = std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), content_.size());
    told_ = std::max(told_, at);
    return at;
  }

  [[noreturn]] static void stop(std::size_t at, std::string reason) { throw Stop{{at, std::move(reason)}}; }

  bool begins_document(std::size_t at) const {
    const std::string_view rest = content_.substr(at);
    return rest.starts_with("---") && (rest.size() == 3 || std::string_view(" \t\r\n").contains(rest[3])) &&
           (at == 0 || content_[at - 1] == '\n' || content_[at - 1] == '\r');
  }

  // The last line before that of `at` with anything but a comment on it.
  std::string_view line_before(std::size_t at) const {
    std::size_t end = content_.substr(0, at).rfind('\n');
    while (end != std::string_view::npos) {
      const std::size_t newline = end == 0 ? std::string_view::npos : content_.rfind('\n', end - 1);
      const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
      const std::string_view line = content_.substr(start, end - start);
      const std::size_t first = line.find_first_not_of(" \t\r");
      if (first != std::string_view::npos && line[first] != '#') return line;
      end = newline;
    }
    return {};
  }

  // The parser takes tabs where YAML wants blanks.
  void indented_by_blanks(std::size_t at) const {
    if (!open_.empty() && open_.back().is_flow) return;
    bool has_tab = false;
    for (std::size_t i = at; i > 0; --i) {
      const char before = content_[i - 1];
      if (before == '\n' || before == '\r') break;
      if (before != ' ' && before != '\t') return;
      has_tab = has_tab || before == '\t';
    }
    if (has_tab) stop(at, "indented by a tab; YAML wants blanks");
  }

  // The parser makes a null of what YAML does not let one leave out.
  void not_forgotten(const Open& around, std::size_t at) const {
    const bool is_value = around.is_map && !around.key_is_next;
    if (around.is_flow) {
      if (!is_value && at < content_.size() && content_[at] == ',') stop(at, "nothing before the comma");
    } else if (is_value && around.key_offset == at) {
      stop(at, "expected \":\" after the key");
    }
  }

  void scalar(std::size_t at, YAML::anchor_t anchor, Key text) {
    const std::size_t size = 1 + (text ? text->size() : 0);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {true, true, text, size, 0};
    node(at, size, 0, std::move(text), true);
  }

  // A node is complete: it counts for the collection around it, and if it is a key there it must be a new one.
  void node(std::size_t at, std::size_t size, std::size_t depth, Key text, bool is_scalar) {
    if (open_.empty()) return;
    Open& around = open_.back();
    around.size = std::min(around.size + size, kLargestExpansion + 1);
    around.depth = std::max(around.depth, depth + 1);
    if (around.is_map && around.key_is_next) {
      around.key_offset = is_scalar && !text ? std::string_view::npos : at;
    }
    if (around.is_map && around.key_is_next && is_scalar) {
      const auto [first, is_new] = around.keys.try_emplace(std::move(text), at);
      if (!is_new) stop(at, duplicate_key(content_, first->first.value_or("null"), first->second));
    }
    around.key_is_next = !around.key_is_next;
  }

  void begin(std::size_t at, YAML::anchor_t anchor, bool is_map, bool is_flow) {
    indented_by_blanks(at);
    if (open_.size() == kDeepest) stop(at, too_deep());
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {};
    open_.push_back({.offset = at,
                     .anchor = anchor,
                     .is_map = is_map,
                     .is_flow = is_flow || (!open_.empty() && open_.back().is_flow)});
  }

  void end() {
    const Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.anchor != YAML::NullAnchor) {
      anchors_[closed.anchor] = {true, false, std::nullopt, closed.size, closed.depth};
    }
    node(closed.offset, closed.size, closed.depth, std::nullopt, false);
  }

  std::string_view content_;
  std::size_t told_ = 0;
  std::size_t documents_ = 0;
  std::size_t document_ = 0;  // where the one that is being read begins
  std::size_t last_scalar_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t added_ = 0;  // by aliases
};

// Hands the content to the parser in pieces, as it asks for them, and stops it when it has read too much more than it
// tells of. Whether brackets and commas stand in a flow collection or in a text is not known here: only a text with a
// bracket and very many of them is mistaken.
class Feed : public std::streambuf {
 public:
  Feed(std::string_view content, const Checker& checker) : content_(content), checker_(checker) {}

 protected:
  int_type underflow() override {
    if (at_ >= content_.size()) return traits_type::eof();
    for (; told_ < checker_.told() / kPiece; ++told_) {
      items_ -= pieces_[told_].items;
      brackets_ -= pieces_[told_].brackets;
    }
    if (items_ > kMostItemsAhead && brackets_ > 0) {
      throw Stop{{checker_.told(), fmt::format("more than {} items in one […] or {{…}}; divide it", kMostItemsAhead)}};
    }
    piece_ = content_.substr(at_, kPiece);
    at_ += piece_.size();
    const auto brackets = std::ranges::count_if(piece_, [](char c) { return c == '[' || c == '{'; });
    const auto commas = std::ranges::count(piece_, ',');
    pieces_.push_back({static_cast<std::size_t>(brackets + commas), static_cast<std::size_t>(brackets)});
    items_ += pieces_.back().items;
    brackets_ += pieces_.back().brackets;
    setg(piece_.data(), piece_.data(), piece_.data() + piece_.size());
    return traits_type::to_int_type(piece_.front());
  }

 private:
  static constexpr std::size_t kPiece = 2048;
  struct Piece {
    std::size_t items, brackets;
  };
  std::string_view content_;
  const Checker& checker_;
  std::string piece_;
  std::size_t at_ = 0;
  std::vector<Piece> pieces_;
  std::size_t told_ = 0;                  // of the pieces
  std::size_t items_ = 0, brackets_ = 0;  // in the rest
};

// What the parser's words do not say.
std::string clearer(const std::string& reason) {
  const auto is = [&](std::string_view start) { return reason.starts_with(start); };
  if (is("end of map not found")) return "expected a key of the mapping, or its end; look at the indentation";
  if (is("end of sequence not found")) return "expected an item of the sequence, or its end; look at the indentation";
  if (is("end of map flow not found")) return "expected \",\" or \"}\"";
  if (is("end of sequence flow not found")) return "expected \",\" or \"]\"";
  if (is("illegal map value")) return "\":\" where no mapping may begin; quote the text, or look at the indentation";
  if (is("unknown token")) return "character that may not begin a value; quote the text";
  if (is("unknown escape character")) return "unknown escape; write \\\\ for a backslash";
  return reason;
}

}  // namespace

Verdict check_yaml(std::string_view content) {
  // YAML has no control characters; yaml-cpp would take U+0004 for the end, and U+0000 for another encoding.
  if (const std::size_t at = find_control_character(content); at != std::string_view::npos) {
    return Refusal{at, control_character(content[at])};
  }
  try {
    Checker checker(content);
    Feed feed(content, checker);
    std::istream stream(&feed);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(checker)) {
    }
    checker.check_last_quotation_mark();
  } catch (const Stop& stop) {
    return stop.refusal;
  } catch (const YAML::DeepRecursion& error) {
    return Refusal{static_cast<std::size_t>(std::max(error.mark.pos, 0)), too_deep()};
  } catch (const YAML::Exception& error) {
    return Refusal{error.mark.is_null() ? content.size() : static_cast<std::size_t>(error.mark.pos),
                   clearer(error.msg)};
  }
  return std::nullopt;
}

}  // namespace cc
