#pragma once

#include "base/files.h"
