#pragma once

// Cursor operations as data: one operation in a line of text for tables of cases, one struct for
// random walks. The same step runs on a backend's cursor and on the model's; what came out is
// compared whole.

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.hpp"
#include "db/testing/model_store.hpp"

namespace keel::db::testing {

enum class Op : uint8_t {
    First,
    Last,
    Next,
    Prev,
    NextNodup,
    PrevNodup,
    NextDup,
    PrevDup,
    FirstDup,
    LastDup,
    Current,
    CountDups,
    Seek,
    SeekExact,
    SeekBothExact,
    SeekBothRange,
    Put,
    PutNoOverwrite,
    PutNoDup,
    PutCurrent,
    Append,
    AppendDup,
    DeleteCurrent,
    DeleteAllDups,
    Del,
    DeleteExact,
};
inline constexpr size_t kOpCount = static_cast<size_t>(Op::DeleteExact) + 1;
inline constexpr Op kFirstWriteOp = Op::Put;

/// The name of the function, e.g. "next_nodup".
std::string_view to_string(Op op) noexcept;
/// Number of byte strings the operation takes: 0, 1 (key) or 2 (key, value).
int argument_count(Op op) noexcept;
inline bool writes(Op op) noexcept {
    return op >= kFirstWriteOp;
}

struct Step {
    Op op = Op::Current;
    Bytes key;
    Bytes value;
};
std::ostream& operator<<(std::ostream& out, const Step& step);

/// What a step gave: nothing, an entry, a bool, a number or an error.
struct Outcome {
    enum class What : uint8_t { Nothing, Entry, Done, Bool, Count, Error };
    What what = What::Nothing;
    Row row;
    uint64_t number = 0;  // Count; Bool as 0 or 1
    ErrorCode error{};
    friend bool operator==(const Outcome&, const Outcome&) = default;
};
/// "·", "ab=4" (plain) or "aa:3" (DupSort), "ok", "true", "false", "2", "NotPositioned".
std::string to_text(const Outcome& outcome, Kind kind);
/// "ab=4" or "aa:3"; bytes that do not print are written as \xx.
std::string to_text(const Row& row, Kind kind);
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

inline Row to_row(const Entry& entry) {
    return {entry.key.to_bytes(), entry.value.to_bytes()};
}
inline Row to_row(const Row& row) {
    return row;
}
inline Row row(ByteView key, ByteView value) {
    return {key.to_bytes(), value.to_bytes()};
}

/// Runs one step. Cursor is db::WriteCursor, db::ReadCursor or ModelCursor; a ReadCursor knows no
/// writes.
template <class Cursor>
Outcome run(Cursor& cursor, const Step& step) {
    Outcome outcome;
    const auto hit = [&](const auto& found) {
        if (!found) return;
        outcome.what = Outcome::What::Entry;
        outcome.row = to_row(*found);
    };
    const auto number = [&](Outcome::What what, uint64_t value) {
        outcome.what = what;
        outcome.number = value;
    };
    const ByteView key = step.key;
    const ByteView value = step.value;
    try {
        switch (step.op) {
            case Op::First:
                hit(cursor.first());
                return outcome;
            case Op::Last:
                hit(cursor.last());
                return outcome;
            case Op::Next:
                hit(cursor.next());
                return outcome;
            case Op::Prev:
                hit(cursor.prev());
                return outcome;
            case Op::NextNodup:
                hit(cursor.next_nodup());
                return outcome;
            case Op::PrevNodup:
                hit(cursor.prev_nodup());
                return outcome;
            case Op::NextDup:
                hit(cursor.next_dup());
                return outcome;
            case Op::PrevDup:
                hit(cursor.prev_dup());
                return outcome;
            case Op::FirstDup:
                hit(cursor.first_dup());
                return outcome;
            case Op::LastDup:
                hit(cursor.last_dup());
                return outcome;
            case Op::Current:
                hit(cursor.current());
                return outcome;
            case Op::CountDups:
                number(Outcome::What::Count, cursor.count_dups());
                return outcome;
            case Op::Seek:
                hit(cursor.seek(key));
                return outcome;
            case Op::SeekExact:
                hit(cursor.seek_exact(key));
                return outcome;
            case Op::SeekBothExact:
                hit(cursor.seek_both_exact(key, value));
                return outcome;
            case Op::SeekBothRange:
                hit(cursor.seek_both_range(key, value));
                return outcome;
            default:
                break;
        }
        if constexpr (requires { cursor.put(key, value); }) {
            outcome.what = Outcome::What::Done;
            switch (step.op) {
                case Op::Put:
                    cursor.put(key, value);
                    break;
                case Op::PutNoOverwrite:
                    number(Outcome::What::Bool, cursor.put_no_overwrite(key, value) ? 1 : 0);
                    break;
                case Op::PutNoDup:
                    cursor.put_no_dup(key, value);
                    break;
                case Op::PutCurrent:
                    cursor.put_current(key, value);
                    break;
                case Op::Append:
                    cursor.append(key, value);
                    break;
                case Op::AppendDup:
                    cursor.append_dup(key, value);
                    break;
                case Op::DeleteCurrent:
                    cursor.delete_current();
                    break;
                case Op::DeleteAllDups:
                    cursor.delete_all_dups();
                    break;
                case Op::Del:
                    number(Outcome::What::Bool, cursor.del(key) ? 1 : 0);
                    break;
                case Op::DeleteExact:
                    number(Outcome::What::Bool, cursor.delete_exact(key, value) ? 1 : 0);
                    break;
                default:
                    break;
            }
        }
    } catch (const Error& error) {
        outcome.what = Outcome::What::Error;
        outcome.error = error.code();
    }
    return outcome;
}

/// One line of a script: `A seek_both_exact aa 2 -> aa:2`. The cursor's letter may be missing (then
/// A), the expectation too (then nothing is compared); "" is the empty string.
struct ScriptLine {
    char cursor = 'A';
    Step step;
    std::optional<std::string> expected;
    std::string text;
};
using Script = std::vector<ScriptLine>;
/// Lines are separated by ';'. Text that does not parse is a bug of the test and throws
/// std::logic_error.
Script parse_script(std::string_view text);

/// True when no line writes.
bool only_reads(const Script& script);

/// Runs a script with one cursor a letter, opened when first named. Returns a message for each line
/// that gave something else than expected. `open` makes a cursor: `() -> Cursor` by value, or the
/// model's by table.
template <class Cursor, class Open>
class ScriptRunner {
  public:
    ScriptRunner(Kind kind, Open open) : kind_(kind), open_(std::move(open)) {}

    std::string run(const Script& script) {
        std::string wrong;
        for (const ScriptLine& line : script) {
            const Outcome outcome = run_line(line);
            const std::string got = to_text(outcome, kind_);
            if (line.expected && got != *line.expected)
                wrong += "  " + line.text + "  but got " + got + "\n";
        }
        return wrong;
    }
    Outcome run_line(const ScriptLine& line) {
        return testing::run(cursor(line.cursor), line.step);
    }
    Cursor& cursor(char letter) {
        const auto found = cursors_.find(letter);
        if (found != cursors_.end()) return *found->second;
        return *cursors_.emplace(letter, open_()).first->second;
    }

  private:
    Kind kind_;
    Open open_;  // () -> std::unique_ptr<Cursor>
    std::map<char, std::unique_ptr<Cursor>> cursors_;
};

/// The table's content as one line, "a=1 aa=2"; walks by first and next.
template <class Cursor>
std::string content(Cursor& cursor, Kind kind) {
    std::string text;
    for (auto hit = cursor.first(); hit; hit = cursor.next()) {
        if (!text.empty()) text += ' ';
        text += to_text(to_row(*hit), kind);
    }
    return text;
}

}  // namespace keel::db::testing
