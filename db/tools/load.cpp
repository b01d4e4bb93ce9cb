#include "db/tools/load.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "db/bulk_load.hpp"

namespace keel::db::tools {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;
constexpr std::string_view kOwnTables = "_keel";

/// Cuts text into lines. A view of a line lives until the next one is asked for.
class Lines {
  public:
    explicit Lines(const TextSource& source) : source_(source), piece_(kPieceBytes) {}

    std::optional<std::string_view> next() {
        ++number_;
        line_.clear();
        for (;;) {
            const char* begin = piece_.data() + used_;
            const char* end = piece_.data() + filled_;
            const char* newline = std::find(begin, end, '\n');
            if (newline != end) {
                used_ = static_cast<size_t>(newline - piece_.data()) + 1;
                const std::string_view rest(begin, static_cast<size_t>(newline - begin));
                if (line_.empty()) return rest;
                line_ += rest;
                return line_;
            }
            line_.append(begin, end);
            used_ = 0;
            filled_ = source_(piece_);
            if (filled_ == 0)
                return line_.empty() ? std::nullopt : std::optional(std::string_view(line_));
        }
    }
    /// Of the line that next() gave last, from 1.
    uint64_t number() const noexcept { return number_; }

  private:
    const TextSource& source_;
    std::vector<char> piece_;
    size_t used_ = 0;
    size_t filled_ = 0;
    std::string line_;
    uint64_t number_ = 0;
};

struct Header {
    TextFormat format = TextFormat::ByteValue;
    std::string name;
    Kind kind = Kind::Plain;
    std::optional<uint64_t> sequence;
};

class Loader {
  public:
    Loader(const Database& database, WriteTxn& txn, const TextSource& source,
           const LoadOptions& options, LoadReport& report)
        : database_(database), txn_(txn), lines_(source), options_(options), report_(report) {}

    void run() {
        while (const auto line = lines_.next()) {
            if (line->empty()) continue;  // between tables
            load_table(read_header(*line));
        }
        if (report_.tables.empty() && report_.skipped.empty()) fail(1, "no table in the dump");
    }

  private:
    [[noreturn]] void fail(uint64_t column, const std::string& what) const {
        throw DumpError(lines_.number(), column, what);
    }

    std::string_view need_line(const char* what) {
        const auto line = lines_.next();
        if (!line) fail(1, std::string("the dump ends before ") + what);
        return *line;
    }

    Header read_header(std::string_view line) {
        if (line != "VERSION=3")
            fail(1, line.starts_with("VERSION=") ? "only VERSION=3 is known"
                                                 : "a dump begins with VERSION=3");
        Header header;
        bool has_format = false;
        for (;;) {
            line = need_line("HEADER=END");
            const size_t equals = line.find('=');
            if (equals == std::string_view::npos) fail(1, "a header line is NAME=VALUE");
            const std::string_view name = line.substr(0, equals);
            const std::string_view value = line.substr(equals + 1);
            const uint64_t column = equals + 2;
            if (name == "HEADER" && value == "END") break;
            if (name == "format") {
                has_format = true;
                if (value != "bytevalue" && value != "print")
                    fail(column, "format is bytevalue or print");
                header.format = value == "print" ? TextFormat::Print : TextFormat::ByteValue;
            } else if (name == "database") {
                header.name = value;
            } else if (name == "type") {
                if (value != "btree") fail(column, "only type=btree is known");
            } else if (name == "duplicates" || name == "dupsort") {
                if (value == "1") header.kind = Kind::DupSort;
            } else if (name == "keel_kind") {
                if (value != "plain" && value != "dupsort")
                    fail(column, "keel_kind is plain or dupsort");
                header.kind = value == "dupsort" ? Kind::DupSort : Kind::Plain;
            } else if (name == "keel_sequence") {
                header.sequence = read_number(value, column);
            }
        }
        if (!has_format) fail(1, "the header has no format line");
        if (header.name.empty()) header.name = options_.unnamed_table;
        if (header.name.empty()) fail(1, "the header names no database, and no table was given");
        return header;
    }

    uint64_t read_number(std::string_view text, uint64_t column) const {
        uint64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size())
            fail(column + static_cast<uint64_t>(end - text.data()), "not a number of 64 bits");
        return number;
    }

    /// The text of a data line; none at the end of the data.
    std::optional<std::string_view> data_line(const char* what) {
        const std::string_view line = need_line(what);
        if (line == "DATA=END") return std::nullopt;
        if (!line.starts_with(' ')) fail(1, "a data line begins with a blank");
        return line.substr(1);
    }

    void load_table(const Header& header) {
        const bool skip = header.name.starts_with(kOwnTables);
        Table table;
        if (!skip) {
            txn_.create_table({.name = header.name, .kind = header.kind});
            table = database_.table(header.name);
        }
        table.kind = header.kind;
        BulkLoad load({.runs = {.directory = database_.path()}});
        BulkLoad::Stream& stream = load.table(table);
        if (!skip) load.begin(txn_);
        uint64_t entries = 0;
        while (const auto text = data_line("DATA=END")) {
            decode(*text, header.format, lines_.number(), key_);
            const auto value_text = data_line("the value of a key");
            if (!value_text) fail(1, "the value of the last key is missing");
            decode(*value_text, header.format, lines_.number(), value_);
            ++entries;
            if (!skip) add(stream);
        }
        if (skip) {
            report_.skipped.push_back(header.name);
            return;
        }
        load.into(txn_);
        if (header.sequence) txn_.set_sequence(table, *header.sequence);
        report_.tables.push_back({header.name, entries});
    }

    void add(BulkLoad::Stream& stream) {
        try {
            stream.add(key_, value_);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::BadKeySize) {
                throw DumpError(lines_.number() - 1, 1, error.message());
            }
            if (error.code() == ErrorCode::BadValueSize) fail(1, error.message());
            throw;
        }
    }

    const Database& database_;
    WriteTxn& txn_;
    Lines lines_;
    const LoadOptions& options_;
    LoadReport& report_;
    Bytes key_;
    Bytes value_;
};

}  // namespace

LoadReport load(const Database& database, const TextSource& source, const LoadOptions& options) {
    LoadReport report;
    report.view_id = database.update(
        [&](WriteTxn& txn) { Loader(database, txn, source, options, report).run(); });
    return report;
}

LoadReport load(const Database& database, std::string_view text, const LoadOptions& options) {
    const TextSource source = [&text](std::span<char> to) {
        const size_t size = text.copy(to.data(), to.size());
        text.remove_prefix(size);
        return size;
    };
    return load(database, source, options);
}

}  // namespace keel::db::tools
