require('../../handler/run')('resubmit');
