#pragma once

#include <span>
#include <string_view>

#include "db/table.hpp"
#include "db/testing/model_store.hpp"

namespace keel::db::testing {

/// Tables of KV.md A.5: P5 is plain, D9 DupSort.
enum class GoldenTable : uint8_t { P5, D9 };
Kind kind_of(GoldenTable table) noexcept;
/// The entries of P5 or D9, in order.
std::span<const Row> rows_of(GoldenTable table);

/// A golden row of KV.md A.5: the scripts (script.hpp) say what is done and what each line must
/// give. Each line of `then` is asked on a fresh repetition of start and act.
struct GoldenRow {
    std::string_view name;  // G1 to G32
    GoldenTable table;
    std::string_view start;
    std::string_view act;
    std::string_view then;
    std::string_view content;  // of the whole table after act; empty: as before
};

/// All rows; a row with several alternatives in KV.md stands here once for each (G24, G28, …).
std::span<const GoldenRow> golden_rows();

}  // namespace keel::db::testing
