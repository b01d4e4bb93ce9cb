#include "db/testing/script.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace keel::db::testing {

namespace {

constexpr std::array<std::string_view, kOpCount> kNames = {
    "first",
    "last",
    "next",
    "prev",
    "next_nodup",
    "prev_nodup",
    "next_dup",
    "prev_dup",
    "first_dup",
    "last_dup",
    "current",
    "count_dups",
    "seek",
    "seek_exact",
    "seek_both_exact",
    "seek_both_range",
    "put",
    "put_no_overwrite",
    "put_no_dup",
    "put_current",
    "append",
    "append_dup",
    "delete_current",
    "delete_all_dups",
    "del",
    "delete_exact",
};

void append_printable(std::string& to, ByteView bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const uint8_t byte : bytes) {
        if (byte > 0x20 && byte < 0x7f && byte != '\\') {
            to += static_cast<char>(byte);
        } else {
            to += '\\';
            to += kDigits[byte >> 4];
            to += kDigits[byte & 15];
        }
    }
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char letter : text) {
        if (letter != ' ' && letter != '\n') {
            word += letter;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

ScriptLine parse_line(std::string_view text) {
    ScriptLine line;
    line.text = text;
    std::vector<std::string> words = words_of(text);
    const auto arrow = std::ranges::find(words, "->");
    if (arrow != words.end()) {
        if (words.end() - arrow != 2) throw std::logic_error("one result after ->: " + line.text);
        line.expected = words.back();
        words.erase(arrow, words.end());
    }
    if (!words.empty() && words[0].size() == 1 && words[0][0] >= 'A' && words[0][0] <= 'Z') {
        line.cursor = words[0][0];
        words.erase(words.begin());
    }
    if (words.empty()) throw std::logic_error("no operation: " + line.text);
    const auto name = std::ranges::find(kNames, words[0]);
    if (name == kNames.end()) throw std::logic_error("unknown operation: " + line.text);
    line.step.op = static_cast<Op>(name - kNames.begin());
    if (static_cast<int>(words.size()) - 1 != argument_count(line.step.op))
        throw std::logic_error("wrong number of arguments: " + line.text);
    const auto argument = [&](size_t index) {
        return words[index] == "\"\"" ? Bytes() : ByteView(words[index]).to_bytes();
    };
    if (words.size() > 1) line.step.key = argument(1);
    if (words.size() > 2) line.step.value = argument(2);
    return line;
}

}  // namespace

std::string_view to_string(Op op) noexcept {
    return kNames[static_cast<size_t>(op)];
}

int argument_count(Op op) noexcept {
    switch (op) {
        case Op::Seek:
        case Op::SeekExact:
        case Op::Del:
            return 1;
        case Op::SeekBothExact:
        case Op::SeekBothRange:
        case Op::Put:
        case Op::PutNoOverwrite:
        case Op::PutNoDup:
        case Op::PutCurrent:
        case Op::Append:
        case Op::AppendDup:
        case Op::DeleteExact:
            return 2;
        default:
            return 0;
    }
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
    std::string text(to_string(step.op));
    const int arguments = argument_count(step.op);
    if (arguments > 0) append_printable(text += ' ', step.key);
    if (arguments > 1) append_printable(text += ' ', step.value);
    return out << text;
}

std::string to_text(const Row& row, Kind kind) {
    std::string text;
    append_printable(text, row.key);
    text += kind == Kind::Plain ? '=' : ':';
    append_printable(text, row.value);
    return text;
}

std::string to_text(const Outcome& outcome, Kind kind) {
    switch (outcome.what) {
        case Outcome::What::Nothing:
            return "·";
        case Outcome::What::Entry:
            return to_text(outcome.row, kind);
        case Outcome::What::Done:
            return "ok";
        case Outcome::What::Bool:
            return outcome.number != 0 ? "true" : "false";
        case Outcome::What::Count:
            return std::to_string(outcome.number);
        case Outcome::What::Error:
            return db::to_string(outcome.error);
    }
    return {};
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    return out << to_text(outcome, Kind::DupSort);
}

Script parse_script(std::string_view text) {
    Script script;
    while (!text.empty()) {
        const size_t end = std::min(text.find(';'), text.size());
        const std::string_view line = text.substr(0, end);
        if (line.find_first_not_of(" \n") != std::string_view::npos)
            script.push_back(parse_line(line));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return script;
}

bool only_reads(const Script& script) {
    return std::ranges::none_of(script,
                                [](const ScriptLine& line) { return writes(line.step.op); });
}

}  // namespace keel::db::testing
