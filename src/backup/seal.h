// Backups sealed with the installation's encryption key (libsodium's secretstream: XChaCha20-Poly1305), in pieces,
// whatever their size: nobody reads them without the key, and nothing of them can be changed, left out or cut off
// unnoticed.
//
//   "CCSEAL01"  key id, 16 bytes  header, 24 bytes  { length, 4 bytes  sealed piece }…
//
// What is not sealed is a .tar.zst that any tar opens, followed by a zstd frame to be skipped with the SHA-256 of all
// that comes before.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backup/storage.h"
#include "base/file.h"
#include "base/result.h"

namespace cc::backup {

// Writes a new file; nothing is there until finish().
class Writer {
 public:
  // `key`: security.encryption_key; empty: not sealed.
  static Result<Writer> create(const Path& file, std::string_view key);
  ~Writer();
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) = delete;

  Result<> write(std::string_view bytes);
  Result<> finish();  // once, at the end

 private:
  struct Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reads a file from its beginning to its end, wherever it lies.
class Reader {
 public:
  // corruption when it is no backup; invalid_argument when it is sealed with another key, or sealed and `key` is empty.
  static Result<Reader> open(const File& file, std::string_view key);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) = delete;

  // The next bytes, valid until the next call; empty at the end. corruption when they are not as they were written,
  // or end too early.
  Result<std::string_view> next();

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::backup
