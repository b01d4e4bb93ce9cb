#include "db/testing/golden_rows.hpp"

#include <vector>

namespace keel::db::testing {

namespace {

constexpr GoldenTable P5 = GoldenTable::P5;
constexpr GoldenTable D9 = GoldenTable::D9;

// clang-format off
constexpr GoldenRow kRows[] = {
    {"G1", P5, "seek_exact aab", "next_nodup -> ab=4",
     "current -> ab=4; next -> b=5; prev -> aab=3", ""},
    {"G2", P5, "seek_exact aab", "next_dup -> ·",
     "current -> aab=3; next -> ab=4; prev -> aa=2", ""},
    {"G3", P5, "seek_exact b", "next -> ·",
     "current -> b=5; next -> ·; prev -> ab=4", ""},
    {"G4", P5, "", "seek c -> ·",
     "current -> ·; next -> ·; prev -> b=5", ""},
    {"G5", P5, "", "seek_exact aac -> ·",
     "current -> ·; next -> ·; prev -> ·", ""},
    {"G6", P5, "seek_exact aab", "delete_current -> ok",
     "current -> ab=4; next -> ab=4; prev -> aa=2", "a=1 aa=2 ab=4 b=5"},
    {"G7", P5, "seek_exact a", "delete_current -> ok",
     "current -> aa=2; next -> aa=2; prev -> ·", "aa=2 aab=3 ab=4 b=5"},
    {"G8", P5, "seek_exact b", "delete_current -> ok",
     "current -> ·; next -> ·; prev -> ab=4", "a=1 aa=2 aab=3 ab=4"},
    {"G9", P5, "seek_exact aab", "delete_current -> ok; delete_current -> ok",
     "current -> b=5; next -> b=5; prev -> aa=2", "a=1 aa=2 b=5"},
    {"G10", D9, "seek_both_exact aa 1", "next_nodup -> aab:7",
     "current -> aab:7; next -> ab:1; prev -> aa:3", ""},
    {"G11", D9, "seek_both_exact aab 7", "prev_nodup -> aa:3",
     "current -> aa:3; next -> aab:7; prev -> aa:2", ""},
    {"G12", D9, "seek_both_exact aa 2", "last_dup -> aa:3",
     "current -> aa:3; next -> aab:7; prev -> aa:2", ""},
    {"G13", D9, "seek_both_exact aa 3", "next_dup -> ·",
     "current -> aa:3; next -> aab:7; prev -> aa:2", ""},
    {"G14", D9, "seek_both_exact aa 1", "delete_current -> ok",
     "current -> aa:2; next -> aa:2; prev -> a:1; next_dup -> aa:2; next_nodup -> aab:7; count_dups -> 2",
     "a:1 aa:2 aa:3 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G15", D9, "seek_both_exact aa 3", "delete_current -> ok",
     "current -> ·; next -> aab:7; prev -> aa:2; next_dup -> ·; prev_dup -> aa:2; prev_nodup -> a:1; "
     "first_dup -> aa:1; count_dups -> 2",
     "a:1 aa:1 aa:2 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G16", D9, "seek_both_exact aa 3", "delete_current -> ok; delete_current -> NotPositioned", "",
     "a:1 aa:1 aa:2 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G17", D9, "seek_both_exact aab 7", "delete_current -> ok",
     "current -> ab:1; next -> ab:1; prev -> aa:3; next_dup -> ·; next_nodup -> ab:1; first_dup -> ab:1; "
     "count_dups -> 2",
     "a:1 aa:1 aa:2 aa:3 ab:1 ab:2 b:8 b:9"},
    {"G18", D9, "seek_both_exact aa 1", "delete_current -> ok; delete_current -> ok; delete_current -> ok",
     "current -> aab:7; next -> aab:7; prev -> a:1", "a:1 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G19", D9, "seek_both_exact aa 2", "delete_all_dups -> ok",
     "current -> aab:7; next -> aab:7; prev -> a:1", "a:1 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G20", D9, "seek_both_exact b 8", "delete_all_dups -> ok",
     "current -> ·; next -> ·; prev -> ab:2", "a:1 aa:1 aa:2 aa:3 aab:7 ab:1 ab:2"},
    {"G21", D9, "seek_both_exact b 9", "next -> ·",
     "current -> b:9; next -> ·; prev -> b:8", ""},
    {"G22", D9, "seek_both_exact b 8", "next_nodup -> ·",
     "current -> b:8; next -> b:9; prev -> ab:2", ""},
    {"G23", D9, "", "seek_both_range aa 15 -> aa:2",
     "current -> aa:2; next -> aa:3; prev -> aa:1", ""},
    {"G24 aa 9", D9, "", "seek_both_range aa 9 -> ·", "current -> ·; next -> ·; prev -> ·", ""},
    {"G24 aac 1", D9, "", "seek_both_range aac 1 -> ·", "current -> ·; next -> ·; prev -> ·", ""},
    {"G24 aab 8", D9, "", "seek_both_range aab 8 -> ·", "current -> ·; next -> ·; prev -> ·", ""},
    {"G25", D9, "seek_both_exact aa 1", "put_current aa 5 -> ok",
     "current -> aa:5; next -> aab:7; prev -> aa:3", "a:1 aa:2 aa:3 aa:5 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G26", D9, "seek_both_exact aa 1", "put_current aa 3 -> ok",
     "current -> aa:3; next -> aab:7; prev -> aa:2", "a:1 aa:2 aa:3 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G27", D9, "seek_both_exact aa 1", "put_current aab 8 -> KeyMismatch",
     "current -> aa:1; next -> aa:2; prev -> a:1", ""},
    {"G28 b 99", D9, "seek_both_exact aa 2", "append b 99 -> ok",
     "current -> b:99; next -> ·; prev -> b:9", "a:1 aa:1 aa:2 aa:3 aab:7 ab:1 ab:2 b:8 b:9 b:99"},
    {"G28 b 10", D9, "seek_both_exact aa 2", "append b 10 -> KeyMismatch",
     "current -> b:9; next -> ·; prev -> b:8", ""},
    {"G28 b 9", D9, "", "append b 9 -> KeyMismatch",
     "current -> b:9; next -> ·; prev -> b:8", ""},
    {"G28 aa 9", D9, "seek_exact zz", "append aa 9 -> KeyMismatch",
     "current -> b:9; next -> ·; prev -> b:8", ""},
    {"G29 aa 4", D9, "seek_both_exact b 8", "append_dup aa 4 -> ok",
     "current -> aa:4; next -> aab:7; prev -> aa:3",
     "a:1 aa:1 aa:2 aa:3 aa:4 aab:7 ab:1 ab:2 b:8 b:9"},
    {"G29 aa 3", D9, "seek_both_exact b 8", "append_dup aa 3 -> KeyMismatch",
     "current -> aa:3; next -> aab:7; prev -> aa:2", ""},
    {"G29 aa 25", D9, "", "append_dup aa 25 -> KeyMismatch",
     "current -> aa:3; next -> aab:7; prev -> aa:2", ""},
    {"G29 aac 1", D9, "seek c", "append_dup aac 1 -> ok",
     "current -> aac:1; next -> ab:1; prev -> aab:7",
     "a:1 aa:1 aa:2 aa:3 aab:7 aac:1 ab:1 ab:2 b:8 b:9"},
    {"G30 b x", P5, "seek_exact aa", "append b x -> ok",
     "current -> b=x; next -> ·; prev -> ab=4", "a=1 aa=2 aab=3 ab=4 b=x"},
    {"G30 aa x", P5, "", "append aa x -> KeyMismatch",
     "current -> b=5; next -> ·; prev -> ab=4", ""},
    {"G31", D9, "", "", "next_dup -> a:1; prev_dup -> b:9; current -> ·; count_dups -> 0", ""},
    {"G32", P5, "A seek_exact aab", "B seek_exact aab; B delete_current -> ok; B put aab 3 -> ok",
     "A current -> ab=4; A next -> ab=4; A prev -> aab=3", ""},
};
// clang-format on

}  // namespace

Kind kind_of(GoldenTable table) noexcept {
    return table == GoldenTable::P5 ? Kind::Plain : Kind::DupSort;
}

std::span<const Row> rows_of(GoldenTable table) {
    const auto row = [](std::string_view key, std::string_view value) {
        return Row{ByteView(key).to_bytes(), ByteView(value).to_bytes()};
    };
    static const std::vector<Row> kP5 = {row("a", "1"), row("aa", "2"), row("aab", "3"),
                                         row("ab", "4"), row("b", "5")};
    static const std::vector<Row> kD9 = {row("a", "1"),  row("aa", "1"),  row("aa", "2"),
                                         row("aa", "3"), row("aab", "7"), row("ab", "1"),
                                         row("ab", "2"), row("b", "8"),   row("b", "9")};
    return table == GoldenTable::P5 ? kP5 : kD9;
}

std::span<const GoldenRow> golden_rows() {
    return kRows;
}

}  // namespace keel::db::testing
