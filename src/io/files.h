#pragma once

#include "base/system/files.h"
