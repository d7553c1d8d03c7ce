#include "archive/writer.h"

#include <algorithm>
#include <chrono>
#include <map>

#include <fmt/format.h>

namespace cc::archive {
namespace {

std::int64_t milliseconds(Wall time) {
  return time.time_since_epoch().count();
}

void add_time(Array& array, Wall time) {
  array.add(std::to_string(milliseconds(time)));
}

// Of what is written once more, because the archive is rebuilt.
template <class Items, class Id>
void remove_again(Connection& connection, const std::string& table, const Items& items, std::uint64_t written,
                  const Id& id_of) {
  Array ids;
  bool any = false;
  for (const auto& item : items) {
    if (id_of(item) > written) continue;
    ids.add(std::uint64_t{id_of(item)});
    any = true;
  }
  if (any) connection.run("DELETE FROM " + table + " WHERE id = ANY($1::bigint[])", {ids.take()});
}

// As arrays, each statement whole: a leader that hangs in the middle of a COPY would keep the position for ever, since
// PostgreSQL has no time limit for that.
void insert_releases(Connection& connection, const std::vector<state::FeedRelease>& releases) {
  Array id, key, version, revision, deleted, format, secret, md5, sha256, author, comment, time, from, size, content;
  for (const auto& [number, release] : releases) {
    id.add(number);
    key.add(release->key_text);
    version.add(release->version);
    revision.add(release->revision);
    deleted.add(release->deleted ? "t" : "f");
    format.add(to_string(release->format));
    secret.add(release->secret ? "t" : "f");
    md5.add(release->md5);
    sha256.add(release->sha256);
    author.add(storable(release->author));
    comment.add(storable(release->comment));
    add_time(time, release->time);
    release->rolled_back_from.empty() ? from.add_null() : from.add(release->rolled_back_from);
    size.add(release->content.size());
    content.add_bytes(release->content);
  }
  connection.run(
      "INSERT INTO release (id, key, version, revision, deleted, format, secret, md5, sha256, author, comment, time, "
      "rolled_back_from, size, content) "
      "SELECT a, b, c, d, e, f, g, h, i, j, k, 'epoch'::timestamptz + l * interval '1 millisecond', m, n, o FROM "
      "unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::text[], $7::boolean[], "
      "$8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bytea[]) "
      "AS t (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)",
      {id.take(), key.take(), version.take(), revision.take(), deleted.take(), format.take(), secret.take(), md5.take(),
       sha256.take(), author.take(), comment.take(), time.take(), from.take(), size.take(), content.take()});
}

void put_configs(Connection& connection, const std::vector<state::FeedRelease>& releases) {
  std::map<std::string_view, const state::FeedRelease*> newest;
  for (const state::FeedRelease& each : releases)
    newest[each.release->key_text] = &each;
  Array key, environment, application, cluster, name, version, revision, deleted, release;
  for (const auto& [text, each] : newest) {
    const ConfigKey& parts = each->release->key;
    key.add(text);
    environment.add(parts.environment);
    application.add(parts.application);
    cluster.add(parts.cluster);
    name.add(parts.name);
    version.add(each->release->version);
    revision.add(each->release->revision);
    deleted.add(each->release->deleted ? "t" : "f");
    release.add(each->id);
  }
  connection.run(
      "INSERT INTO config (key, environment, application, cluster, name, version, revision, deleted, release) "
      "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], "
      "$8::boolean[], $9::bigint[]) "
      "ON CONFLICT (key) DO UPDATE SET version = excluded.version, revision = excluded.revision, deleted = "
      "excluded.deleted, release = excluded.release",
      {key.take(), environment.take(), application.take(), cluster.take(), name.take(), version.take(), revision.take(),
       deleted.take(), release.take()});
}

void insert_audits(Connection& connection, const std::vector<AuditRecord>& audits) {
  Array id, time, actor, address, request_id, action, target, outcome, message, before, after, revision, count;
  for (const AuditRecord& record : audits) {
    id.add(record.id);
    add_time(time, record.time);
    actor.add(storable(record.actor));
    address.add(storable(record.address));
    request_id.add(storable(record.request_id));
    action.add(storable(record.action));
    target.add(storable(record.target));
    outcome.add(storable(record.outcome));
    message.add(storable(record.message));
    before.add(storable(record.before));
    after.add(storable(record.after));
    revision.add(record.revision);
    count.add(record.count);
  }
  connection.run(
      "INSERT INTO audit (id, time, actor, address, request_id, action, target, outcome, message, before, after, "
      "revision, count) "
      "SELECT a, 'epoch'::timestamptz + b * interval '1 millisecond', c, d, e, f, g, h, i, j, k, l, m FROM "
      "unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], "
      "$9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[]) "
      "AS t (a, b, c, d, e, f, g, h, i, j, k, l, m)",
      {id.take(), time.take(), actor.take(), address.take(), request_id.take(), action.take(), target.take(),
       outcome.take(), message.take(), before.take(), after.take(), revision.take(), count.take()});
}

// All there are; those that are not among them are gone.
void put_places(Connection& connection, const state::Places& places) {
  {
    Array name, description, revision, created;
    for (const Environment& each : places.environments) {
      name.add(each.name);
      description.add(storable(each.description));
      revision.add(each.revision);
      add_time(created, each.created);
    }
    const Values values{name.take(), description.take(), revision.take(), created.take()};
    connection.run("DELETE FROM environment WHERE name <> ALL ($1::text[])", {values[0]});
    connection.run(
        "INSERT INTO environment SELECT a, b, c, 'epoch'::timestamptz + d * interval '1 millisecond' FROM "
        "unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS t (a, b, c, d) ON CONFLICT (name) DO UPDATE SET "
        "description = excluded.description, revision = excluded.revision, created = excluded.created "
        "WHERE environment.revision <> excluded.revision",
        values);
  }
  {
    Array name, department, owner, description, revision, created;
    for (const Application& each : places.applications) {
      name.add(each.name);
      department.add(storable(each.department));
      owner.add(storable(each.owner));
      description.add(storable(each.description));
      revision.add(each.revision);
      add_time(created, each.created);
    }
    const Values values{name.take(),        department.take(), owner.take(),
                        description.take(), revision.take(),   created.take()};
    connection.run("DELETE FROM application WHERE name <> ALL ($1::text[])", {values[0]});
    connection.run(
        "INSERT INTO application SELECT a, b, c, d, e, 'epoch'::timestamptz + f * interval '1 millisecond' FROM "
        "unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS t (a, b, c, d, e, f) "
        "ON CONFLICT (name) DO UPDATE SET department = excluded.department, owner = excluded.owner, "
        "description = excluded.description, revision = excluded.revision, created = excluded.created "
        "WHERE application.revision <> excluded.revision",
        values);
  }
  Array environment, application, name, description, revision, created;
  for (const Cluster& each : places.clusters) {
    environment.add(each.environment);
    application.add(each.application);
    name.add(each.name);
    description.add(storable(each.description));
    revision.add(each.revision);
    add_time(created, each.created);
  }
  const Values values{environment.take(), application.take(), name.take(),
                      description.take(), revision.take(),    created.take()};
  connection.run(
      "DELETE FROM cluster WHERE (environment, application, name) NOT IN (SELECT * FROM unnest($1::text[], $2::text[], "
      "$3::text[]))",
      {values[0], values[1], values[2]});
  connection.run(
      "INSERT INTO cluster SELECT a, b, c, d, e, 'epoch'::timestamptz + f * interval '1 millisecond' FROM "
      "unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS t (a, b, c, d, e, f) "
      "ON CONFLICT (environment, application, name) DO UPDATE SET description = excluded.description, "
      "revision = excluded.revision, created = excluded.created WHERE cluster.revision <> excluded.revision",
      values);
}

}  // namespace

std::optional<Position> Writer::write(Connection& connection, const Position& from, const state::FeedBatch& batch) {
  Position to = from;
  to.at = batch.until;
  to.written = {.release = std::max(from.written.release, to.at.release),
                .audit = std::max(from.written.audit, to.at.audit)};
  to.revision = std::max(from.revision, batch.revision);

  connection.begin();
  // Who comes second waits here, and then finds that the position has moved.
  const auto moved = connection.run(
      "UPDATE position SET release = $1, audit = $2, revision = $3, release_written = $4, audit_written = $5, "
      "written = now() WHERE release = $6 AND audit = $7 AND cluster_id = $8",
      {std::to_string(to.at.release), std::to_string(to.at.audit), std::to_string(to.revision),
       std::to_string(to.written.release), std::to_string(to.written.audit), std::to_string(from.at.release),
       std::to_string(from.at.audit), from.cluster_id});
  if (moved.affected_rows() != 1) {
    connection.run("ROLLBACK");
    return std::nullopt;
  }
  make_partitions(connection, batch.audits);
  if (!batch.releases.empty()) {
    remove_again(connection, "release", batch.releases, from.written.release, [](const auto& each) { return each.id; });
    insert_releases(connection, batch.releases);
    put_configs(connection, batch.releases);
  }
  if (!batch.audits.empty()) {
    remove_again(connection, "audit", batch.audits, from.written.audit, [](const auto& each) { return each.id; });
    insert_audits(connection, batch.audits);
  }
  if (batch.places) put_places(connection, *batch.places);
  connection.commit();
  return to;
}

void Writer::make_partitions(Connection& connection, const std::vector<AuditRecord>& audits) {
  for (const AuditRecord& record : audits) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(record.time));
    const std::chrono::year_month month = day.year() / day.month();
    const std::chrono::year_month next = month + std::chrono::months(1);
    const auto number = [](const std::chrono::year_month& of) {
      return std::pair(static_cast<int>(of.year()), static_cast<unsigned>(of.month()));
    };
    const auto [year, in_year] = number(month);
    const auto [next_year, in_next_year] = number(next);
    const std::string name = fmt::format("audit_{:04}_{:02}", year, in_year);
    if (partitions_.contains(name)) continue;
    // Making one locks the table for a moment, also when it is there.
    if (connection.run("SELECT to_regclass('config_center." + name + "') IS NULL")[0][0].as<bool>()) {
      connection.run(
          fmt::format("CREATE TABLE IF NOT EXISTS {} PARTITION OF audit FOR VALUES FROM "
                      "('{:04}-{:02}-01 00:00:00+00') TO ('{:04}-{:02}-01 00:00:00+00')",
                      name, year, in_year, next_year, in_next_year));
    } else {
      partitions_.insert(name);  // it is committed
    }
  }
}

}  // namespace cc::archive
