#include "consensus/message.h"

#include <utility>

#include "consensus/packed.h"

namespace cc::consensus {
namespace {

// The head is as long for all kinds; what follows it is there for some.
enum Flag : std::uint8_t { kPre = 1, kUrgent = 2, kYes = 4 };

}  // namespace

std::string Message::encode(std::string_view before) const {
  std::size_t size = before.size() + 64 + reference.size();
  for (const Entry& entry : entries)
    size += 14 + entry.bytes.size();
  Packer out(std::string(before), size);
  out.put(static_cast<std::uint8_t>(kind));
  out.put(static_cast<std::uint8_t>((pre ? kPre : 0) | (urgent ? kUrgent : 0) | (yes ? kYes : 0)));
  out.put(term);
  out.put(index);
  out.put(index_term);
  out.put(commit);
  out.put(round);
  if (kind == Kind::append) {
    out.put(static_cast<std::uint32_t>(entries.size()));
    for (const Entry& entry : entries) {
      out.put(entry.term);
      out.put(static_cast<std::uint16_t>(entry.kind));
      out.put(entry.bytes);
    }
  }
  if (kind == Kind::install) {
    out.put(snapshot.index);
    out.put(snapshot.term);
    out.put(snapshot.members_index);
    out.put(snapshot.members.encode());
    out.put(reference);
  }
  return out.take();
}

std::unexpected<Error> not_understood() {
  return fail(Code::corruption, "a node says what this one does not understand: are both of the same version?");
}

Result<Message> Message::decode(std::shared_ptr<const std::string> bytes, std::size_t from) {
  Unpacker in(std::string_view(*bytes).substr(from));
  Message message;
  const auto kind = in.get<std::uint8_t>();
  if (kind < static_cast<std::uint8_t>(Kind::vote_request) || kind > static_cast<std::uint8_t>(Kind::admission))
    return not_understood();
  message.kind = static_cast<Kind>(kind);
  const auto flags = in.get<std::uint8_t>();
  message.pre = (flags & kPre) != 0;
  message.urgent = (flags & kUrgent) != 0;
  message.yes = (flags & kYes) != 0;
  message.term = in.get<Term>();
  message.index = in.get<Index>();
  message.index_term = in.get<Term>();
  message.commit = in.get<Index>();
  message.round = in.get<std::uint64_t>();
  if (message.kind == Kind::append) {
    const auto count = in.get<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && in.whole(); ++i) {
      Entry entry;
      entry.term = in.get<Term>();
      entry.kind = static_cast<EntryKind>(in.get<std::uint16_t>());
      entry.bytes = in.get_bytes();
      entry.owner = bytes;
      if (entry.kind < EntryKind::command || entry.kind > EntryKind::members || entry.bytes.empty() ||
          entry.bytes.size() % 8 != 0)
        return not_understood();
      message.entries.push_back(std::move(entry));
    }
  }
  if (message.kind == Kind::install) {
    message.snapshot.index = in.get<Index>();
    message.snapshot.term = in.get<Term>();
    message.snapshot.members_index = in.get<Index>();
    const std::string_view members = in.get_bytes();
    message.reference = in.get_bytes();
    if (!in.at_end()) return not_understood();
    TRY(message.snapshot.members, Members::decode(members));
  }
  if (!in.at_end()) return not_understood();
  return message;
}

}  // namespace cc::consensus
