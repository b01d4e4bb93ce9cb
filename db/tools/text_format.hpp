#pragma once

// The text form of mdb_dump and mdb_load, KV.md A.9 (db/README.md): a header, then two lines an
// entry, each behind one blank.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/fault.hpp"

namespace keel::db::tools {

/// ByteValue: two hex digits a byte. Print: printable ASCII as it is, a backslash doubled, other
/// bytes as \xx.
enum class TextFormat : uint8_t { ByteValue, Print };

/// A dump that cannot be read. Lines and columns count from 1.
class DumpError : public core::Fault {
  public:
    DumpError(uint64_t line, uint64_t column, const std::string& what);
    uint64_t line() const noexcept { return line_; }
    uint64_t column() const noexcept { return column_; }

  private:
    uint64_t line_;
    uint64_t column_;
};

void append_encoded(std::string& to, core::ByteView bytes, TextFormat format);

/// Bytes of a data line without its leading blank; `line` is for errors. In Print a backslash that
/// is followed by neither another one nor two hex digits stands for itself: mdb_dump of liblmdb
/// 0.9.24 does not double it.
void decode(std::string_view text, TextFormat format, uint64_t line, core::Bytes& to);

}  // namespace keel::db::tools
