// Where backups are kept: a folder, or a part of a bucket of an object store. Files by name, each of which is there
// whole or not at all.
//
// Everything that reads or writes a backup asks for a File: a local one (folder.h) is one too. What a store does not
// do at once is tried again, longer each time; a connection that breaks is gone on from, not begun again. One thread
// at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace cc::backup {

// Told how many bytes were worked on, and of how many.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

struct Stored {
  std::string name;  // without a slash
  std::uint64_t bytes = 0;
};

class Storage {
 public:
  virtual ~Storage() = default;

  // What people call it: "/backups/one.ccbackup", "s3://bucket/prefix/one.ccbackup".
  virtual std::string where(const std::string& name) const = 0;

  virtual Result<std::vector<Stored>> list() = 0;
  // So many bytes from there on, fewer at the file's end, none behind it; not_found when there is no such file.
  virtual Result<std::string> get(const std::string& name, std::uint64_t offset, std::size_t size) = 0;
  // Replaces what has that name. `from` is the storage's: it may be gone afterwards.
  virtual Result<> put(const std::string& name, const Path& from, const Progress& progress) = 0;
  virtual Result<> put_text(const std::string& name, const std::string& text) = 0;
  virtual Result<> remove(const std::string& name) = 0;  // also when there is none
  // Removes what is left of puts that were broken off, by whomever, long ago.
  virtual Result<> tidy() = 0;
};

struct File {
  std::shared_ptr<Storage> storage;
  std::string name;
  std::string where() const { return storage->where(name); }
};

// backup.storage of the settings.
struct StorageOptions {
  std::string type = "local";                 // or s3, azure, gcs
  std::string path;                           // a folder; or a bucket, with /prefix or without
  std::string endpoint;                       // http://… or https://…; empty: the provider's own
  std::string region;                         // of S3
  std::string addressing = "automatic";       // of S3: path, virtual, or automatic: path where there is an endpoint
  std::string credentials;                    // as docs/backup.md has them for each type
  std::string ca_file;                        // PEM; empty: whom the system trusts
  std::chrono::milliseconds timeout{30'000};  // of an answer that does not get on
};
// Asks nobody yet; invalid_argument when an option is missing or of no use. All of it ends early, with `unavailable`,
// once it is asked to stop. The clock outlives it.
Result<std::shared_ptr<Storage>> open_storage(const StorageOptions& options, const Clock& clock,
                                              const std::stop_token& stop = {});

}  // namespace cc::backup
