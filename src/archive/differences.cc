#include "archive/differences.h"

#include <algorithm>

#include <fmt/format.h>

#include "archive/connection.h"
#include "base/bytes.h"
#include "base/text.h"

namespace cc::archive {
namespace {

// Tells the fields of two things that differ.
class Comparison {
 public:
  template <class T>
  void field(std::string_view name, const T& here, const T& archived) {
    if (here == archived) return;
    text_ += fmt::format("{}{} is \"{}\", in the archive \"{}\"", text_.empty() ? "" : "; ", name, here, archived);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::uint64_t number_of(const state::FeedRelease& each) {
  return each.id;
}
std::uint64_t number_of(const AuditRecord& each) {
  return each.id;
}

std::string name_of(const state::FeedRelease& each) {
  return fmt::format("release {} ({} version {}{})", each.id, each.release->key_text, each.release->version,
                     each.release->deleted ? ", deleted" : "");
}
std::string name_of(const AuditRecord& each) {
  return fmt::format("audit record {} ({} {})", each.id, each.action, each.target);
}

std::string compare(const state::FeedRelease& a, const state::FeedRelease& b) {
  const Release& here = *a.release;
  const Release& archived = *b.release;
  Comparison of;
  of.field("key", here.key_text, archived.key_text);
  of.field("version", here.version, archived.version);
  of.field("revision", here.revision, archived.revision);
  of.field("deleted", here.deleted, archived.deleted);
  of.field("format", to_string(here.format), to_string(archived.format));
  of.field("secret", here.secret, archived.secret);
  of.field("md5", here.md5, archived.md5);
  of.field("sha256", here.sha256, archived.sha256);
  of.field("author", storable(here.author), archived.author);
  of.field("comment", storable(here.comment), archived.comment);
  of.field("time", format_time(here.time), format_time(archived.time));
  of.field("rolled_back_from", here.rolled_back_from, archived.rolled_back_from);
  // A config may be long, and secret.
  if (here.content != archived.content) of.field("content's sha256", here.sha256, sha256_hex(archived.content));
  return of.text();
}

std::string compare(const AuditRecord& here, const AuditRecord& archived) {
  Comparison of;
  of.field("time", format_time(here.time), format_time(archived.time));
  of.field("actor", storable(here.actor), archived.actor);
  of.field("address", storable(here.address), archived.address);
  of.field("request id", storable(here.request_id), archived.request_id);
  of.field("action", storable(here.action), archived.action);
  of.field("target", storable(here.target), archived.target);
  of.field("outcome", storable(here.outcome), archived.outcome);
  of.field("message", storable(here.message), archived.message);
  of.field("before", storable(here.before), archived.before);
  of.field("after", storable(here.after), archived.after);
  of.field("revision", here.revision, archived.revision);
  of.field("count", here.count, archived.count);
  return of.text();
}

// Both are in order of their numbers.
template <class T>
std::vector<std::string> compare_all(const std::vector<T>& here, const std::vector<T>& archived) {
  std::vector<std::string> found;
  auto other = archived.begin();
  for (const T& each : here) {
    while (other != archived.end() && number_of(*other) < number_of(each))
      ++other;
    if (other == archived.end() || number_of(*other) != number_of(each)) {
      found.push_back(name_of(each) + " is not in the archive");
      continue;
    }
    if (const std::string text = compare(each, *other); !text.empty())
      found.push_back(fmt::format("{}: {}", name_of(each), text));
  }
  for (std::size_t i = 1; i < archived.size(); ++i) {
    if (number_of(archived[i]) == number_of(archived[i - 1]))
      found.push_back(name_of(archived[i]) + " is in the archive more than once");
  }
  return found;
}

}  // namespace

std::vector<std::string> differences(const std::vector<state::FeedRelease>& here,
                                     const std::vector<state::FeedRelease>& archived) {
  return compare_all(here, archived);
}

std::vector<std::string> differences(const std::vector<AuditRecord>& here, const std::vector<AuditRecord>& archived) {
  return compare_all(here, archived);
}

}  // namespace cc::archive
