require('../../handler/run')('download');
