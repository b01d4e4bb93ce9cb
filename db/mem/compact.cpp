#include "db/mem/compact.hpp"

#include "db/mem/store.hpp"

namespace keel::db::mem {
namespace {

/// A store of this function's own.
class Opened {
  public:
    explicit Opened(const OpenOptions& options) : store_(new Store(options)) {}
    ~Opened() {
        try {
            store_->close();
        } catch (const core::Fault&) {
            // What failed was thrown already, and the files are as they were.
        }
        Store::orphan(store_);
    }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
    Store& operator*() const { return *store_; }

  private:
    Store* const store_;
};

}  // namespace

uint64_t Store::compact(const tools::Progress& progress) {
    const std::lock_guard guard(save_mutex_);
    throw_latched();
    const Newest::View view = readers_.begin_own(newest_);
    const OwnSlot own_slot{readers_};
    // An image of the newest commit is as compact as it goes: it depends on the content alone.
    if (view.id != image_commit_) {
        write_store_image(view.id, view.catalogue(), false, progress);
        found_log_bytes_ = 0;
        remove_logs_before(view.id);
    }
    return view.id;
}

uint64_t compact(const OpenOptions& options, const tools::Progress& progress) {
    OpenOptions folding = options;
    folding.access = Access::ReadWrite;
    folding.durability = Durability::Close;  // no log of its own: the image takes it all
    folding.expect_created = true;
    const Opened opened(folding);
    return (*opened).compact(progress);
}

}  // namespace keel::db::mem
