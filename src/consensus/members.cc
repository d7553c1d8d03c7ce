#include "consensus/members.h"

#include <algorithm>

#include "base/little_endian.h"

namespace cc::consensus {
namespace {

constexpr char kFormat = 1;
constexpr char kVoter = 1, kObserver = 0, kJoining = 2;

char code_of(Membership membership) {
  return membership == Membership::voter ? kVoter : membership == Membership::observer ? kObserver : kJoining;
}

}  // namespace

const Member* Members::find(NodeId id) const {
  const auto found = std::ranges::find(all, id, &Member::id);
  return found == all.end() ? nullptr : &*found;
}

bool Members::votes(NodeId id) const {
  const Member* member = find(id);
  return member != nullptr && member->membership == Membership::voter;
}

std::size_t Members::voters() const {
  return static_cast<std::size_t>(std::ranges::count(all, Membership::voter, &Member::membership));
}

std::string Members::encode() const {
  const auto put_number = [](std::string& into, std::uint64_t number) {
    char bytes[sizeof number];
    put_little_endian(bytes, number);
    into.append(bytes, sizeof bytes);
  };
  std::string out(1, kFormat);
  put_number(out, all.size());
  for (const Member& member : all) {
    put_number(out, member.id);
    out += member.address;
    out += '\0';
    out += code_of(member.membership);
  }
  out.resize((out.size() + 7) / 8 * 8);
  return out;
}

Result<Members> Members::decode(std::string_view bytes) {
  const auto damaged = [] { return fail(Code::corruption, "the log says who is in the group in a way unknown here"); };
  constexpr std::size_t kNumber = sizeof(std::uint64_t);
  if (bytes.size() < 1 + kNumber || bytes[0] != kFormat) return damaged();
  const auto count = get_little_endian<std::uint64_t>(bytes.substr(1));
  bytes.remove_prefix(1 + kNumber);
  Members members;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (bytes.size() < kNumber) return damaged();
    Member member{.id = get_little_endian<std::uint64_t>(bytes)};
    bytes.remove_prefix(kNumber);
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos || end + 1 >= bytes.size()) return damaged();
    member.address = bytes.substr(0, end);
    const char code = bytes[end + 1];
    if (code != kVoter && code != kObserver && code != kJoining) return damaged();
    member.membership = code == kVoter      ? Membership::voter
                        : code == kObserver ? Membership::observer
                                            : Membership::joining;
    bytes.remove_prefix(end + 2);
    if (member.id == 0 || members.find(member.id) != nullptr) return damaged();
    members.all.push_back(std::move(member));
  }
  return members;
}

}  // namespace cc::consensus
