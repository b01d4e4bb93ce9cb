#pragma once

// Results go to stdout, everything else to stderr.

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

#include "db/open.hpp"

namespace keel::cmd {

/// Whoever read stdout has gone: the program ends quietly.
class OutputClosed : public std::exception {};

/// Collects text and writes it to stdout in large pieces. Throws core::Fault{Io}, OutputClosed.
class Output {
  public:
    void write(std::string_view text);
    void line(std::string_view text) {
        write(text);
        write("\n");
    }
    /// Writes what is left; without it the last piece is lost.
    void finish();

  private:
    std::string pending_;
};

/// A JSON document built in one string. Text that is not UTF-8 is not for it.
class JsonWriter {
  public:
    void begin_object(std::string_view name = {}) { begin(name, '{'); }
    void end_object() { end('}'); }
    void begin_array(std::string_view name = {}) { begin(name, '['); }
    void end_array() { end(']'); }
    void field(std::string_view name, std::string_view value);
    void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
    template <class T>
        requires std::is_same_v<T, bool>
    void field(std::string_view name, T value) {
        key(name);
        text_ += value ? "true" : "false";
    }
    template <class T>
        requires(std::is_unsigned_v<T> && !std::is_same_v<T, bool>)
    void field(std::string_view name, T value) {
        key(name);
        text_ += std::to_string(value);
    }
    void null_field(std::string_view name) {
        key(name);
        text_ += "null";
    }
    void element(std::string_view value) { field({}, value); }
    /// An array of objects, one for each item, with the fields that `fields` writes of it.
    template <class Items, class Fields>
    void objects(std::string_view name, const Items& items, Fields&& fields) {
        begin_array(name);
        for (const auto& item : items) {
            begin_object();
            fields(item);
            end_object();
        }
        end_array();
    }
    const std::string& text() const noexcept { return text_; }

  private:
    void key(std::string_view name);
    void quote(std::string_view value);
    void begin(std::string_view name, char open);
    void end(char close);

    std::string text_;
    bool first_ = true;  // in the innermost object or array
};

/// One line `keel: …` on stderr.
void say(std::string_view text) noexcept;

/// Tells the user what the store has to say. Lifetime: longer than the store.
class StderrObserver final : public db::Observer {
  public:
    explicit StderrObserver(bool quiet) noexcept : quiet_(quiet) {}
    void note(std::string_view event, std::string_view details) override;

  private:
    const bool quiet_;
};

const char* kind_name(db::Kind kind) noexcept;

// What every report says of a table, as fields and as the begin of a line.
void table_fields(JsonWriter& json, std::string_view name, const db::TableStat& stat);
std::string table_text(std::string_view name, const db::TableStat& stat);

}  // namespace keel::cmd
