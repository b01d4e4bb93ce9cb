#pragma once

// A genesis document as text: read, and changed in single members while all others keep their form.

#include <optional>
#include <string>
#include <string_view>

#include "core/files.hpp"

namespace keel::node {

/// Content of the file; `-` is stdin. Throws Fault::Usage with path and reason.
std::string read_genesis_text(core::FileSystem& files, const std::string& name);

/// `document` with the member `key` of its outermost object set to the JSON text `value`, added
/// when it is missing. None: it is not a JSON object.
std::optional<std::string> with_member(std::string_view document, std::string_view key,
                                       std::string_view value);
/// JSON text of the member `key` of the outermost object; the last one where there are several.
/// None: there is none, or it is not a JSON object.
std::optional<std::string> member_text(std::string_view document, std::string_view key);

}  // namespace keel::node
