require('../../handler/run')('sign');
