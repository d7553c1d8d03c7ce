#include "state/tip.h"

namespace cc::state {
namespace {

template <std::size_t N, std::size_t M>
Numbers read_numbers(Database& database, const char (&first)[N], const char (&last)[M]) {
  Numbers numbers;
  if (Rows rows = database.ask(first); rows.next()) numbers.first = rows.number(0);
  if (Rows rows = database.ask(last); rows.next()) numbers.last = rows.number(0);
  return numbers;
}

}  // namespace

Position read_position(Database& database) {
  Position position;
  Rows rows = database.ask("SELECT applied, applied_crc, revision, cluster_id FROM position");
  if (rows.next()) {
    position.applied = rows.number(0);
    position.applied_crc = static_cast<std::uint32_t>(rows.number(1));
    position.revision = rows.number(2);
    position.cluster_id = rows.text(3);
  }
  return position;
}

void write_position(Database& database, const Position& position) {
  database.run("UPDATE position SET applied = ?, applied_crc = ?, revision = ?, cluster_id = ?", position.applied,
               position.applied_crc, position.revision, position.cluster_id);
}

Archived read_archived(Database& database) {
  Archived archived;
  if (Rows rows = database.ask("SELECT used, release, audit FROM archived"); rows.next()) {
    archived.used = rows.flag(0);
    archived.release = rows.number(1);
    archived.audit = rows.number(2);
  }
  return archived;
}

Tip read_tip(Database& database) {
  Tip tip;
  tip.archived = read_archived(database);
  tip.position = read_position(database);
  tip.changes.revision = tip.position.revision;
  tip.last_release = database.number("SELECT max(id) FROM release");
  tip.last_audit = database.number("SELECT id FROM audit UNION ALL SELECT id FROM attempt ORDER BY id DESC LIMIT 1");
  tip.changes_audited = read_numbers(database, "SELECT number FROM audit ORDER BY id LIMIT 1",
                                     "SELECT number FROM audit ORDER BY id DESC LIMIT 1");
  tip.attempts_audited = read_numbers(database, "SELECT number FROM attempt ORDER BY id LIMIT 1",
                                      "SELECT number FROM attempt ORDER BY id DESC LIMIT 1");
  tip.answered.read(database);
  return tip;
}

}  // namespace cc::state
