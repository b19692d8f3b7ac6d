require('../../handler/run')('resubmit', { promote: 'promote' });
