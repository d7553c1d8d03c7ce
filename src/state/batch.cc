#include "state/batch.h"

namespace cc::state {

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

Batch read_batch(Database& database) {
  Batch batch;
  batch.position = read_position(database);
  batch.changes.revision = batch.position.revision;
  if (Rows rows = database.ask("SELECT max(id) FROM release"); rows.next()) batch.last_release = rows.number(0);
  if (Rows rows = database.ask("SELECT max(id) FROM audit"); rows.next()) batch.last_audit = rows.number(0);
  if (Rows rows = database.ask("SELECT max(sequence) FROM answered"); rows.next()) batch.answered.last = rows.number(0);
  batch.answered.first = batch.answered.last + 1;
  if (Rows rows = database.ask("SELECT sequence, time FROM answered ORDER BY sequence LIMIT 1"); rows.next()) {
    batch.answered.first = rows.number(0);
    batch.answered.oldest = rows.time(1);
  }
  return batch;
}

void write_position(Database& database, const Position& position) {
  database.run("UPDATE position SET applied = ?, applied_crc = ?, revision = ?, cluster_id = ?", position.applied,
               position.applied_crc, position.revision, position.cluster_id);
}

}  // namespace cc::state
