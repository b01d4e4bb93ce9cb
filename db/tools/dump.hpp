#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.hpp"
#include "db/tools/progress.hpp"
#include "db/tools/text_format.hpp"

namespace keel::db::tools {

struct DumpOptions {
    TextFormat format = TextFormat::ByteValue;
    std::vector<std::string> tables;  // none: all, by name
};

/// Takes the text piece by piece.
using TextSink = std::function<void(std::string_view)>;

/// Writes tables of the newest snapshot, one after the other. The text depends on content alone,
/// not on the backend. Throws NoSuchTable before anything is written. Progress counts entries.
void dump(const Database& database, const DumpOptions& options, const TextSink& sink,
          const Progress& progress = {});

}  // namespace keel::db::tools
